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
  /// With `additional` ones at the end.
  let special: [Special]
  /// Those that have no role; only read where tokens are stated.
  let additional: [Special]
  /// On which sides tokens swallow blanks; tokens that are absent here do so on both.
  let strips: [[UInt8]: AddedTokens.Strip]
  /// Tokens beside the pieces: bytes of the text to id.
  let added: [[UInt8]: Int]
  /// The file that `added` comes from.
  let addedFile: String
  /// `added_tokens_decoder`; where it is absent, the rules from before transformers 4.34 hold.
  let stated: [AddedToken]?

  /// - Parameters:
  ///   - folder: A checkpoint's folder.
  ///   - pieces: The vocabulary beside which added tokens stand.
  ///   - statesTokens: Whether `added_tokens_decoder` is used.
  /// - Throws: `TokenizerError` naming the file and what is wrong there.
  init(
    folder: String, pieces: [SentencePieceModel.Piece], statesTokens: Bool
  ) throws(TokenizerError) {
    let config = try Self.read("\(folder)/tokenizer_config.json")
    let map = try Self.read("\(folder)/special_tokens_map.json")
    let list = try Self.read("\(folder)/added_tokens.json")
    isLegacy = config["legacy"].value?.bool ?? true
    addsBegin = config["add_bos_token"].value?.bool ?? true
    addsEnd = config["add_eos_token"].value?.bool ?? false

    var special: [Special] = []
    var strips: [[UInt8]: AddedTokens.Strip] = [:]
    for (role, preset) in [
      ("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", nil),
    ] {
      var token = preset.map { ($0, AddedTokens.Strip.none as _?) }
      if let value = config[role].value,
        let found = Self.token(value, plain: AddedTokens.Strip.none)
      {
        token = found
      }
      if let value = map[role].value, let found = Self.token(value, plain: nil) { token = found }
      guard let (text, strip) = token else { continue }
      special.append(Special(role: role, text: text))
      if let strip { strips[Array(text.utf8)] = strip }
    }
    begin = special[0].text
    end = special[1].text
    unknown = special[2].text

    var added: [[UInt8]: Int] = [:]
    for (name, field) in try list.members() {
      guard let id = field.value?.int, id >= 0 else {
        throw TokenizerError("\(list.file): \(name) has the id \(field.value?.line ?? "")")
      }
      added[Array(name.utf8)] = id
    }
    stated = statesTokens ? try AddedToken.stated(config) : nil
    if let stated {
      try Self.check(added, of: list.file, against: stated, of: config, pieces)
      additional = try Self.additional(config)
      special += additional
      strips = [:]
      for token in special { strips[Array(token.text.utf8)] = AddedTokens.Strip.none }
      added = [:]
      for token in stated {
        let text = Array(token.text.utf8)
        strips[text] = AddedTokens.Strip(left: token.stripsLeft, right: token.stripsRight)
        if token.id >= pieces.count { added[text] = token.id }
      }
    } else {
      additional = []
    }
    addedFile = stated == nil ? list.file : config.file
    self.special = special
    self.strips = strips
    self.added = added
  }

  /// An empty object where the file does not exist.
  private static func read(_ path: String) throws(TokenizerError) -> JSONField {
    try JSONField(path: path) ?? JSONField(file: path, value: .object([]))
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

  /// Refuses files that contradict each other: ids would depend on which of them is read.
  private static func check(
    _ added: [[UInt8]: Int], of list: String, against stated: [AddedToken], of config: JSONField,
    _ pieces: [SentencePieceModel.Piece]
  ) throws(TokenizerError) {
    var ids: [[UInt8]: Int] = [:]
    for token in stated {
      let field = config["added_tokens_decoder"]["\(token.id)"]
      if token.isSingleWord { throw field["single_word"].refusal("false") }
      guard ids.updateValue(token.id, forKey: Array(token.text.utf8)) == nil else {
        throw field["content"].refusal("each token once")
      }
      guard token.id < pieces.count else { continue }
      let piece = pieces[token.id].text
      guard piece.utf8.elementsEqual(token.text.utf8) else {
        throw field["content"].refusal("\(piece), as in tokenizer.model")
      }
    }
    for (text, id) in added where ids[text] != id {
      throw TokenizerError(
        "\(list): \(String(decoding: text, as: UTF8.self)) has the id \(id), "
          + "but not in added_tokens_decoder of \(config.file)")
    }
  }

  private static func additional(_ config: JSONField) throws(TokenizerError) -> [Special] {
    let field = config["additional_special_tokens"]
    guard !field.isAbsent else { return [] }
    var special: [Special] = []
    for element in try field.elements() {
      let content = element.value?.members == nil ? element : element["content"]
      special.append(Special(role: element.key, text: try content.text()))
    }
    return special
  }
}

extension AddedTokens.Strip {
  fileprivate static let none = AddedTokens.Strip(left: false, right: false)
}
