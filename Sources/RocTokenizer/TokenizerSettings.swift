import RocFiles
import RocJSON

/// The JSON files beside `tokenizer.model`.
struct TokenizerSettings: Sendable {
  /// A special token and what it is for.
  struct Special: Sendable {
    let role: String
    let text: String
  }

  let isLegacy: Bool
  let addsBegin: Bool
  let addsEnd: Bool
  let begin: String
  let end: String
  let unknown: String
  let special: [Special]
  /// Blanks that special tokens swallow; tokens given as plain strings are absent and swallow both.
  let strips: [String: AddedTokens.Strip]
  /// `added_tokens.json`: bytes of the text to id.
  let added: [[UInt8]: Int]

  init(folder: String) throws(TokenizerError) {
    let config = try Self.object("\(folder)/tokenizer_config.json")
    let map = try Self.object("\(folder)/special_tokens_map.json")
    let addedFile = try Self.object("\(folder)/added_tokens.json")
    isLegacy = config["legacy"]?.bool ?? true
    addsBegin = config["add_bos_token"]?.bool ?? true
    addsEnd = config["add_eos_token"]?.bool ?? false

    var special: [Special] = []
    var strips: [String: AddedTokens.Strip] = [:]
    for (role, preset) in [
      ("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", nil),
    ] {
      var token = preset.map { ($0, AddedTokens.Strip(left: false, right: false) as _?) }
      if let value = config[role], let found = Self.token(value, plain: .init(false, false)) {
        token = found
      }
      if let value = map[role], let found = Self.token(value, plain: nil) { token = found }
      guard let (text, strip) = token else { continue }
      special.append(Special(role: role, text: text))
      if let strip { strips[text] = strip }
    }
    self.special = special
    self.strips = strips
    begin = special[0].text
    end = special[1].text
    unknown = special[2].text

    var added: [[UInt8]: Int] = [:]
    for entry in addedFile.members ?? [] {
      guard let id = entry.value.int, id >= 0 else {
        throw TokenizerError(
          "\(folder)/added_tokens.json: \(entry.name) has the id \(entry.value.line)")
      }
      added[Array(entry.name.utf8)] = id
    }
    self.added = added
  }

  /// A token given as a plain string or as an AddedToken object; nil for null.
  private static func token(
    _ value: JSON, plain: AddedTokens.Strip?
  ) -> (String, AddedTokens.Strip?)? {
    if let text = value.string { return (text, plain) }
    guard let text = value["content"]?.string else { return nil }
    return (
      text,
      AddedTokens.Strip(
        left: value["lstrip"]?.bool ?? false, right: value["rstrip"]?.bool ?? false)
    )
  }

  /// The file's object; an empty one where the file does not exist.
  private static func object(_ path: String) throws(TokenizerError) -> JSON {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      guard error.isMissing else { throw TokenizerError(error.description) }
      return .object([])
    }
    let value: JSON
    do throws(JSONError) {
      value = try file.withBytes { bytes throws(JSONError) in try JSON.parse(bytes) }
    } catch {
      throw TokenizerError("\(path) is not valid JSON: \(error)")
    }
    guard value.members != nil else {
      throw TokenizerError("\(path): holds \(value.kind), expected an object")
    }
    return value
  }
}

extension AddedTokens.Strip {
  fileprivate init(_ left: Bool, _ right: Bool) { self.init(left: left, right: right) }
}
