import RocJSON

/// What `tokenizer_config.json` and the files with it say about a fast tokenizer.
struct FastTokenizerSettings {
  private let config: JSONField
  private let map: JSONField
  /// The file that `tokens` come from.
  private let tokensFile: String
  /// Added tokens that these files name, in the order of their ids.
  let tokens: [AddedToken]
  /// The token that ends a text.
  let end: String?

  init(folder: String) throws(TokenizerError) {
    config = try Self.read("\(folder)/tokenizer_config.json")
    map = try Self.read("\(folder)/special_tokens_map.json")
    end = try Self.named("eos_token", config, map)
    if let stated = try AddedToken.stated(config) {
      tokensFile = config.file
      tokens = stated
      return
    }
    // Files from before transformers 4.34.
    let list = try Self.read("\(folder)/added_tokens.json")
    let special = Set(try Self.special(config, map).map { Array($0.utf8) })
    var tokens: [AddedToken] = []
    for (name, field) in try list.members() {
      tokens.append(
        AddedToken(
          id: try field.id(), text: name, isSpecial: special.contains(Array(name.utf8))))
    }
    tokensFile = list.file
    self.tokens = tokens.sorted { $0.id < $1.id }
  }

  private static func read(_ path: String) throws(TokenizerError) -> JSONField {
    try JSONField(path: path) ?? JSONField(file: path, value: .object([]))
  }

  /// The text of a token, which may be an object with its properties.
  private static func named(
    _ role: String, _ config: JSONField, _ map: JSONField
  ) throws(TokenizerError) -> String? {
    let field = config[role].isAbsent ? map[role] : config[role]
    return field.value?.members == nil
      ? try field.optionalText() : try field["content"].text()
  }

  private static func special(
    _ config: JSONField, _ map: JSONField
  ) throws(TokenizerError) -> [String] {
    var texts: [String] = []
    for role in ["bos_token", "eos_token", "unk_token", "pad_token"] {
      if let text = try named(role, config, map) { texts.append(text) }
    }
    let key = "additional_special_tokens"
    let list = config[key].isAbsent ? map[key] : config[key]
    guard !list.isAbsent else { return texts }
    for field in try list.elements() {
      texts.append(
        field.value?.members == nil ? try field.text() : try field["content"].text())
    }
    return texts
  }

  /// Refuses what transformers would do beyond the tokenizer's own file.
  private func checkOptions() throws(TokenizerError) {
    for name in ["clean_up_tokenization_spaces", "split_special_tokens", "add_eos_token"]
    where try config[name].flag(default: false) {
      throw config[name].refusal("false")
    }
  }

  /// Refuses settings that contradict the tokenizer's file.
  ///
  /// - Parameters:
  ///   - file: The `tokenizer.json`.
  ///   - tokenizer: What was read from it.
  /// - Throws: `TokenizerError` naming what they say.
  func check(against file: String, _ tokenizer: FastTokenizer) throws(TokenizerError) {
    try checkOptions()
    // LLaMA's classes put the token there whatever the file says.
    let isLlama = try config["tokenizer_class"].optionalText()?.hasPrefix("LlamaTokenizer") ?? false
    let begins = tokenizer.beginID != nil
    if try config["add_bos_token"].flag(default: isLlama || begins) != begins {
      throw config["add_bos_token"].refusal("\(begins), as in \(file)")
    }
    for token in tokens where tokenizer.id(of: token.text) != token.id {
      let found = tokenizer.id(of: token.text).map { "gives it \($0)" } ?? "has no such token"
      throw TokenizerError(
        "\(tokensFile): \(token.text) has the id \(token.id), but \(file) \(found)")
    }
    for text in try Self.special(config, map)
    where tokenizer.id(of: text) != nil && !tokenizer.isAdded(text) {
      throw TokenizerError(
        "\(file): added_tokens lacks \(text), which \(config.file) names as a special token")
    }
  }

  /// Refuses settings that do not go with Qwen's older files.
  func checkOlder(against vocabulary: PieceVocabulary) throws(TokenizerError) {
    try checkOptions()
    if let name = try config["tokenizer_class"].optionalText(),
      !["Qwen2Tokenizer", "Qwen2TokenizerFast"].contains(name)
    {
      throw config["tokenizer_class"].refusal("Qwen2Tokenizer, as there is no tokenizer.json")
    }
    if try config["add_bos_token"].flag(default: false) {
      throw config["add_bos_token"].refusal("false")
    }
    var texts: Set<[UInt8]> = []
    var ids: Set<Int> = []
    for token in tokens {
      guard texts.insert(Array(token.text.utf8)).inserted, ids.insert(token.id).inserted,
        vocabulary.id(of: token.text) ?? token.id == token.id,
        vocabulary.text(of: token.id) == nil || vocabulary.id(of: token.text) != nil
      else {
        throw TokenizerError(
          "\(tokensFile): \(token.text) has the id \(token.id), which is another token's")
      }
    }
  }
}
