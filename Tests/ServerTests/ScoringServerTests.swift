import Foundation
import RocJSON
import RocTestSupport
import Testing

/// Scores over HTTP are those of the command.
struct ScoringServerTests {
  private static let checkpoint = Fixture.path("tiny-f32")
  private static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: Fixture.path("images"))
      .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") || $0.hasSuffix(".webp") }.sorted()
  }

  private static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: "\(Fixture.path("images"))/\(name)")))
  }

  private static func form(_ names: [String]) throws -> FormBody {
    var form = FormBody()
    for name in names { form.add("file", fileName: name, try bytes(name)) }
    return form
  }

  private static func command(_ names: [String], _ flags: [String] = []) throws -> [String] {
    try CommandRun(
      "roc-eval", ["score", "--checkpoint", checkpoint, "--jsonl"] + flags + names,
      folder: Fixture.path("images")
    ).output.split(separator: "\n").map(String.init)
  }

  @Test func answersAsTheCommandPrints() throws {
    let names = try Self.names()
    #expect(names.count > 20)
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    let expected = try Self.command(names)
    let answer = try server.ask(
      "POST", "/v1/score", headers: [FormBody.header], body: try Self.form(names).whole)
    #expect(answer.status == 200 && answer.headers["content-type"] == "application/x-ndjson")
    let lines = answer.body.split(separator: "\n").map(String.init)
    #expect(lines == expected)

    // The same as JSON, one at a time, and asked in another way.
    let name = names[0]
    let encoded = Data(try Self.bytes(name)).base64EncodedString()
    for (fields, flags) in [
      ("", []), (", \"decimals\": 2", ["--decimals", "2"]),
      (", \"scoring\": \"levels\"", ["--scoring", "levels"]),
      (", \"question\": \"Is it good?\"", ["--question", "Is it good?"]),
    ] as [(String, [String])] {
      let body = "{\"image\": {\"name\": \"\(name)\", \"data\": \"\(encoded)\"}\(fields)}"
      let answer = try server.ask(
        "POST", "/v1/score", headers: ["Content-Type: application/json"], body: Array(body.utf8))
      #expect(answer.headers["content-type"] == "application/json")
      #expect(answer.body == (try Self.command([name], flags))[0] + "\n", "\(fields)")
    }
    let (status, log) = server.stop()
    #expect(status == 0 && log.hasSuffix("stopped\n"))
  }

  @Test func answersAsTheOfficialServer() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    let name = try Self.names()[0]
    let expected = try JSON.parse(try Self.command([name])[0])
    let answer = try server.ask(
      "POST", "/api/roc4mllm", headers: [FormBody.header], body: try Self.form([name]).whole)
    let json = try answer.json()
    #expect(answer.status == 200 && json.members?.map(\.name) == ["score", "comment"])
    #expect(json["score"] == expected["score"] && json["comment"] == expected["text"])
    // One picture, and one that can be scored.
    var form = FormBody()
    form.add("file", fileName: "a.jpg", Array("no picture".utf8))
    let refused = try server.ask(
      "POST", "/api/roc4mllm", headers: [FormBody.header], body: form.whole)
    #expect(refused.status == 422)
    #expect(try refused.json()["error"]?["message"]?.string?.hasPrefix("a.jpg: not a JPEG") == true)
    let two = try Self.form([name, name]).whole
    #expect(
      try server.ask("POST", "/api/roc4mllm", headers: [FormBody.header], body: two).status == 400)
  }

  @Test func givesRewards() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    let names = try Self.names()
    let scores = try Self.command(Array(names.prefix(3))).map {
      try #require(try JSON.parse($0)["score"])
    }
    var form = try Self.form(Array(names.prefix(2)))
    form.add("file", fileName: "broken.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    form.add("file", fileName: "last", try Self.bytes(names[2]))
    let answer = try server.ask(
      "POST", "/v1/rewards", headers: [FormBody.header], body: form.whole)
    #expect(try answer.json() == .array([scores[0], scores[1], .null, scores[2]]))
  }

  @Test func manyClientsGetTheirOwnAnswers() async throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--queue", "1000"])
    let names = try Self.names()
    let lines = try Self.command(names)
    let expected = Dictionary(uniqueKeysWithValues: zip(names, lines))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<16 {
        group.addTask {
          let connection = try HTTPClient(server.port)
          for turn in 0..<6 {
            let wanted = (0..<1 + (client + turn) % 4).map {
              names[(5 * client + turn + $0) % names.count]
            }
            try connection.send(
              "POST", "/v1/score", headers: [FormBody.header], body: try Self.form(wanted).whole)
            let answer = try connection.read()
            #expect(
              answer.body.split(separator: "\n").map(String.init)
                == wanted.map { expected[$0] ?? "" })
          }
        }
      }
      try await group.waitForAll()
    }
    let metrics = try server.ask("/metrics").body
    #expect(metrics.contains("roc_requests_total{path=\"/v1/score\",status=\"200\"} 96\n"))
    #expect(metrics.contains("roc_queue_pictures 0\n"))
  }

  @Test func tellsOfItself() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--precision", "f32"])
    #expect(try server.ask("/healthz").json()["status"] == "ok")
    #expect(try server.ask("/readyz").json()["status"] == "ready")
    let model = try #require(try server.ask("/v1/models").json()["data"]?.array?.first)
    #expect(model["id"] == "tiny-f32" && model["precision"] == "f32")
    #expect(model["backbone"] == "mPLUG-Owl2" && model["score_tokens"] == 10)
    let document = try server.ask("/openapi.json").json()
    // Every path that is described is there: a wrong method is told from a missing address.
    let paths = try #require(document["paths"]?.members)
    #expect(paths.count == 8)
    for path in paths {
      let method = try #require(path.value.members?.first?.name).uppercased()
      let answer = try server.ask(method, path.name)
      #expect(answer.status == (method == "GET" ? 200 : 415), "\(path.name)")
    }
  }
}
