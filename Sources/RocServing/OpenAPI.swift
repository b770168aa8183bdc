package import RocJSON
import RocModel

/// The description of the scoring requests (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0).
package enum OpenAPI {
  /// - Parameter mostBytes: Of a request's body.
  /// - Returns: The document.
  package static func document(mostBytes: Int) -> JSON {
    let paths: JSON = [
      "/api/roc4mllm": [
        "post": operation(
          "Score one picture, as the official server answers.", [multipart(single: true)],
          ok: ["application/json": media("OfficialAnswer")], more: [unprocessable])
      ],
      "/v1/score": [
        "post": operation(
          """
          Score pictures. One picture is answered with one object, several with JSON Lines, each \
          line as soon as its picture is scored.
          """, pictures,
          ok: [
            "application/json": media("Score"),
            "application/x-ndjson": ["schema": ["type": "string"]],
          ])
      ],
      "/v1/rewards": [
        "post": operation(
          "Scores alone, in the order of the pictures; null where there is none.", pictures,
          ok: ["application/json": media("Rewards")])
      ],
      "/v1/models": ["get": status("The model that scores.", media("Models"))],
      "/healthz": ["get": status("Whether the server runs.", media("Status"), isOpen: true)],
      "/readyz": [
        "get": status(
          "Whether the server takes pictures.", media("Status"),
          more: [.init("503", problem("Too many pictures are waiting."))], isOpen: true)
      ],
      "/metrics": [
        "get": [
          "summary": "Counts and times in Prometheus' text format.",
          "responses": [
            "200": [
              "description": "The metrics.",
              "content": ["text/plain": ["schema": ["type": "string"]]],
            ],
            "401": problem("The token is missing or wrong."),
          ],
        ]
      ],
      "/openapi.json": [
        "get": status("This document.", ["schema": ["type": "object"]])
      ],
    ]
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "roc-serve", "version": .string(Engine.version),
        "summary": "Aesthetics scores of pictures.",
        "description": .string("A request takes at most \(mostBytes) bytes."),
      ],
      "paths": paths,
      "components": ["schemas": schemas, "securitySchemes": securitySchemes],
      "security": [[:], ["bearer": []], ["cookie": []]],
    ]
  }

  private static let securitySchemes: JSON = [
    "bearer": ["type": "http", "scheme": "bearer"],
    "cookie": ["type": "apiKey", "in": "cookie", "name": "roc_token"],
  ]

  private static func media(_ name: String) -> JSON {
    ["schema": ["$ref": .string("#/components/schemas/\(name)")]]
  }

  private static func problem(_ description: String) -> JSON {
    [
      "description": .string(description), "content": ["application/json": media("Problem")],
    ]
  }

  private static let unprocessable = JSON.Member(
    "422", problem("The picture cannot be scored."))

  /// A request without a body; one that is open asks for no token.
  private static func status(
    _ summary: String, _ media: JSON, more: [JSON.Member] = [], isOpen: Bool = false
  ) -> JSON {
    var responses: [JSON.Member] = [
      .init("200", ["description": "OK", "content": ["application/json": media]])
    ]
    if !isOpen { responses.append(.init("401", problem("The token is missing or wrong."))) }
    var members: [JSON.Member] = [
      .init("summary", .string(summary)), .init("responses", .object(responses + more)),
    ]
    if isOpen { members.append(.init("security", [])) }
    return .object(members)
  }

  private static func operation(
    _ summary: String, _ content: [JSON.Member], ok: JSON, more: [JSON.Member] = []
  ) -> JSON {
    let responses: [JSON.Member] = [
      .init("200", ["description": "The scores.", "content": ok]),
      .init("400", problem("What is asked cannot be answered; the message says why.")),
      .init("401", problem("The token is missing or wrong.")),
      .init("403", problem("A page of another site sent the request.")),
      .init("408", problem("The body did not arrive in time.")),
      .init("413", problem("Too many bytes or pictures.")),
      .init("415", problem("A body of another type.")),
      .init("421", problem("The server is asked for by a name that is not its own.")),
      .init("429", problem("Too many pictures are waiting; Retry-After says when to try again.")),
      .init("500", problem("The server could not do it; its log says why.")),
      .init("503", problem("No model is loaded, or the server is stopping.")),
    ]
    return [
      "summary": .string(summary),
      "requestBody": ["required": true, "content": .object(content)],
      "responses": .object(responses + more),
    ]
  }

  private static let pictures =
    [
      multipart(single: false), JSON.Member("application/json", media("Request")),
    ]
    + ScoreRequest.pictureTypes.map {
      JSON.Member($0, ["schema": ["type": "string", "format": "binary"]])
    }

  private static func multipart(single: Bool) -> JSON.Member {
    let file: JSON = ["type": "string", "format": "binary"]
    return JSON.Member(
      "multipart/form-data",
      [
        "schema": [
          "type": "object", "required": ["file"], "additionalProperties": false,
          "properties": [
            "file": single ? file : ["type": "array", "items": file, "minItems": 1],
            "question": question, "decimals": decimals, "scoring": scoring,
          ],
        ]
      ])
  }

  private static let question: JSON = [
    "type": "string", "minLength": 1, "maxLength": .int(ScoreRequest.mostQuestionLength),
    "description": "What is asked; the trained question where it is left out.",
  ]
  private static let decimals: JSON = [
    "type": "integer", "minimum": 0, "maximum": 17,
    "description": "Digits of the score in the text.",
  ]
  private static let scoring: JSON = [
    "type": "string", "enum": ["roc", "levels"],
    "description": "By score tokens or by Q-Align's level words.",
  ]

  /// Many libraries write what is not set as null.
  private static func orNull(_ schema: JSON) -> JSON { ["anyOf": [schema, ["type": "null"]]] }

  private static let schemas: JSON = [
    "Picture": [
      "description": "Base64 of the file, alone or with a name.",
      "oneOf": [
        ["type": "string", "contentEncoding": "base64"],
        [
          "type": "object", "required": ["data"], "additionalProperties": false,
          "properties": [
            "name": ["type": "string"],
            "data": ["type": "string", "contentEncoding": "base64"],
          ],
        ],
      ],
    ],
    "Request": [
      "type": "object", "additionalProperties": false,
      "anyOf": [["required": ["image"]], ["required": ["images"]]],
      "properties": [
        "image": ["$ref": "#/components/schemas/Picture"],
        "images": [
          "type": "array", "minItems": 1, "items": ["$ref": "#/components/schemas/Picture"],
        ],
        "question": orNull(question), "decimals": orNull(decimals), "scoring": orNull(scoring),
      ],
    ],
    "Score": [
      "type": "object",
      "description": "As roc-eval score --jsonl prints.",
      "required": [
        "schema", "image", "score", "scores", "distribution", "distributions", "text", "error",
      ],
      "properties": [
        "schema": ["const": "roc/score/1"], "image": ["type": "string"],
        "score": ["type": ["number", "null"]],
        "scores": ["type": "array", "items": ["type": "number"]],
        "distribution": ["type": "array", "items": ["type": "number"]],
        "distributions": [
          "type": "array", "items": ["type": "array", "items": ["type": "number"]],
        ],
        "text": ["type": ["string", "null"]],
        "levels": ["type": "object", "additionalProperties": ["type": "number"]],
        "error": [
          "type": ["object", "null"], "required": ["code", "message"],
          "properties": ["code": ["type": "string"], "message": ["type": "string"]],
        ],
      ],
    ],
    "OfficialAnswer": [
      "type": "object", "required": ["score", "comment"],
      "properties": ["score": ["type": "number"], "comment": ["type": "string"]],
    ],
    "Rewards": ["type": "array", "items": ["type": ["number", "null"]]],
    "Models": [
      "type": "object", "required": ["object", "data"],
      "properties": [
        "object": ["const": "list"], "data": ["type": "array", "items": ["type": "object"]],
      ],
    ],
    "Status": [
      "type": "object", "required": ["status"], "properties": ["status": ["type": "string"]],
    ],
    "Problem": [
      "type": "object", "required": ["error"],
      "properties": [
        "error": [
          "type": "object", "required": ["code", "message"],
          "properties": ["code": ["type": "integer"], "message": ["type": "string"]],
        ]
      ],
    ],
  ]
}
