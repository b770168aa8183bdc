import RocJSON
package import RocModel

/// A request for scores as a client sends it: pictures and what is asked about them.
package struct ScoreRequest: Sendable {
  package let pictures: [SentPicture]
  package let asked: Asked

  /// What a server asks where a request does not say, and what its model can be asked.
  package struct Defaults: Sendable {
    package let asked: Asked
    package let hasScoreTokens: Bool

    package init(asked: Asked, hasScoreTokens: Bool) {
      self.asked = asked
      self.hasScoreTokens = hasScoreTokens
    }
  }

  /// Types of a body that is one picture; what it holds decides, not which of them it says.
  static let pictureTypes = [
    "image/jpeg", "image/png", "image/webp", "image/bmp", "application/octet-stream",
  ]
  /// Unicode's characters in a question.
  static let mostQuestionLength = 1024

  /// - Parameters:
  ///   - body: The whole body.
  ///   - contentType: `multipart/form-data`, `application/json`, or that of one picture.
  ///   - defaults: What is asked where the request does not say.
  /// - Throws: `RequestProblem` that says what is wrong with the request.
  package init(
    _ body: [UInt8], contentType: String?, _ defaults: Defaults
  ) throws(RequestProblem) {
    let type = contentType.map { String($0.prefix { $0 != ";" }) }?.lowercased()
      .filter { $0 != " " }
    switch type {
    case "multipart/form-data":
      try self.init(MultipartForm(body, contentType: contentType ?? ""), defaults)
    case "application/json": try self.init(json: body, defaults)
    case let type? where Self.pictureTypes.contains(type):
      self.init([SentPicture(name: "picture", bytes: body)], defaults.asked)
    default:
      throw RequestProblem(
        .unsupportedType,
        "expected multipart/form-data, application/json or a picture, found \(type ?? "no type")")
    }
    guard !pictures.isEmpty else {
      throw RequestProblem(.badRequest, "no picture: send one or more as file, or in images")
    }
  }

  private init(_ pictures: [SentPicture], _ asked: Asked) {
    self.pictures = pictures
    self.asked = asked
  }

  private init(_ form: MultipartForm, _ defaults: Defaults) throws(RequestProblem) {
    var pictures: [SentPicture] = []
    var settings: [String: String] = [:]
    for part in form.parts {
      if let name = part.fileName {
        pictures.append(
          SentPicture(name: name.isEmpty ? "picture" : name, bytes: part.bytes))
      } else if Self.names.contains(part.name) {
        guard settings[part.name] == nil else { throw Self.twice(part.name) }
        settings[part.name] = part.text
      } else {
        throw Self.unknown(part.name, "send pictures with a file name")
      }
    }
    self.pictures = pictures
    let decimals = try settings["decimals"].map { text throws(RequestProblem) in
      guard let value = Int(text) else { throw Self.decimals(text) }
      return value
    }
    asked = try Self.asked(
      question: settings["question"], decimals: decimals, scoring: settings["scoring"], defaults)
  }

  private init(json body: [UInt8], _ defaults: Defaults) throws(RequestProblem) {
    let value: JSON
    do {
      value = try body.withUnsafeBytes { try JSON.parse($0) }
    } catch {
      throw RequestProblem(.badRequest, "not JSON: \(error)")
    }
    guard let members = value.members else {
      throw RequestProblem(.badRequest, "expected a JSON object, found \(value.kind)")
    }
    var pictures: [SentPicture] = []
    var texts: [String: String] = [:]
    var decimals: Int?
    for (place, member) in members.enumerated() {
      guard !members[..<place].contains(where: { $0.name == member.name }) else {
        throw Self.twice(member.name)
      }
      switch (member.name, member.value) {
      // Many libraries write what is not set as null.
      case ("question", .null), ("decimals", .null), ("scoring", .null): continue
      case ("image", let image): pictures.append(try Self.picture(image, pictures.count))
      case ("images", .array([])):
        throw RequestProblem(.badRequest, "no picture: images is an empty array")
      case ("images", .array(let images)):
        for image in images { pictures.append(try Self.picture(image, pictures.count)) }
      case ("question", .string(let text)), ("scoring", .string(let text)):
        texts[member.name] = text
      case ("decimals", let number):
        guard let value = number.int else { throw Self.decimals(number.line) }
        decimals = value
      case ("images", let other), ("question", let other), ("scoring", let other):
        let expected = member.name == "images" ? "an array" : "a text"
        throw RequestProblem(
          .badRequest, "\(member.name): expected \(expected), found \(other.kind)")
      default: throw Self.unknown(member.name, "expected image, images")
      }
    }
    self.pictures = pictures
    asked = try Self.asked(
      question: texts["question"], decimals: decimals, scoring: texts["scoring"], defaults)
  }

  /// A picture of JSON: base64, a data URL, or an object with `data` and a `name`.
  private static func picture(_ value: JSON, _ place: Int) throws(RequestProblem) -> SentPicture {
    var (name, data) = ("picture \(place + 1)", value.string)
    for member in value.members ?? [] {
      switch (member.name, member.value) {
      case ("name", .string(let text)): name = text
      case ("data", .string(let text)): data = text
      case ("name", let other), ("data", let other):
        throw RequestProblem(
          .badRequest, "\(name): \(member.name): expected a text, found \(other.kind)")
      default:
        throw RequestProblem(
          .badRequest, "\(name): \(member.name) is not known; expected name and data")
      }
    }
    guard let text = data else {
      throw RequestProblem(
        .badRequest,
        "\(name): expected base64 text, or an object with name and data, found \(value.kind)")
    }
    var encoded = text[...].utf8
    if text.utf8.starts(with: Array("data:".utf8)) {
      guard let comma = text.utf8.firstIndex(of: UInt8(ascii: ",")),
        text[..<comma].hasSuffix(";base64")
      else { throw RequestProblem(.badRequest, "\(name): a data URL that is not base64") }
      encoded = text[text.utf8.index(after: comma)...].utf8
    }
    guard let bytes = Base64.decode(encoded) else {
      throw RequestProblem(.badRequest, "\(name): not base64")
    }
    return SentPicture(name: name, bytes: bytes)
  }

  private static let names = ["question", "decimals", "scoring"]

  private static func asked(
    question: String?, decimals: Int?, scoring: String?, _ defaults: Defaults
  ) throws(RequestProblem) -> Asked {
    let decimals = decimals ?? defaults.asked.decimals
    guard (0...17).contains(decimals) else { throw Self.decimals("\(decimals)") }
    if let question, !(1...mostQuestionLength).contains(question.unicodeScalars.count) {
      throw RequestProblem(
        .badRequest, "question: expected 1 to \(mostQuestionLength) characters of text")
    }
    let mode: ScoringMode
    switch (scoring, question) {
    case ("levels", nil):
      guard case .levels = defaults.asked.mode else {
        mode = .levels(LevelScoring())
        break
      }
      mode = defaults.asked.mode
    case ("levels", _):
      throw RequestProblem(
        .badRequest, "question goes with scoring roc; levels have questions of their own")
    case ("roc", nil), (nil, .some), ("roc", .some):
      guard defaults.hasScoreTokens else {
        throw RequestProblem(.badRequest, "the model has no score tokens; ask with scoring levels")
      }
      if case .scoreTokens = defaults.asked.mode, question == nil {
        mode = defaults.asked.mode
      } else {
        mode = .scoreTokens(question: question ?? Engine.defaultQuestion)
      }
    case (nil, nil): mode = defaults.asked.mode
    case (.some(let other), _):
      throw RequestProblem(.badRequest, "scoring: expected roc or levels, found \(other)")
    }
    return Asked(mode: mode, decimals: decimals)
  }

  private static func decimals(_ text: String) -> RequestProblem {
    RequestProblem(.badRequest, "decimals: expected 0 to 17, found \(text)")
  }

  private static func twice(_ name: String) -> RequestProblem {
    RequestProblem(.badRequest, "\(name) is given twice")
  }

  private static func unknown(_ name: String, _ hint: String) -> RequestProblem {
    RequestProblem(.badRequest, "\(name) is not known; \(hint), question, decimals or scoring")
  }
}
