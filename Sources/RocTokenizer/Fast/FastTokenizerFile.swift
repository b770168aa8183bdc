import RocJSON

/// What a `tokenizer.json` says, or the older files that say the same.
struct FastTokenizerFile {
  let model: MergeModel
  let normalizer: TextNormalizer
  let spelling: PieceSpelling
  let added: [AddedToken]
  /// What is put before every text.
  let begin: Int?

  /// - Parameter json: A `tokenizer.json`.
  /// - Throws: `TokenizerError` naming what is not known.
  init(_ json: JSONField) throws(TokenizerError) {
    // Callers set padding and truncation for themselves.
    try json.expect(onlyKeys: [
      "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
      "post_processor", "decoder", "model",
    ])
    if !json["version"].isAbsent { try json["version"].expect("1.0") }
    model = try Self.model(json["model"])
    normalizer = try TextNormalizer(json["normalizer"])
    spelling = try PieceSpelling(json["decoder"])
    try Self.checkSplit(json["pre_tokenizer"], spelling)
    added = try Self.added(json["added_tokens"], to: model.vocabulary)
    begin = try Self.begin(json["post_processor"])
    if let begin, model.vocabulary.text(of: begin) == nil,
      !added.contains(where: { $0.id == begin })
    {
      throw json["post_processor"]["special_tokens"].refusal("ids of tokens")
    }
  }

  /// Qwen's older files.
  ///
  /// - Parameters:
  ///   - vocabulary: A `vocab.json`.
  ///   - merges: A `merges.txt`.
  ///   - added: The tokens of `tokenizer_config.json` and `added_tokens.json`.
  /// - Throws: `TokenizerError` naming what is wrong.
  init(
    vocabulary: JSONField, merges: String, added: [AddedToken]
  ) throws(TokenizerError) {
    model = try MergeModel(PieceVocabulary(vocabulary), MergeList(path: merges))
    normalizer = TextNormalizer([.composed])
    spelling = .byteLetters
    self.added = added
    begin = nil
  }

  private static func model(_ field: JSONField) throws(TokenizerError) -> MergeModel {
    // Old files do not name the type.
    if !field["type"].isAbsent { try field["type"].expect("BPE") }
    try field.expect(onlyKeys: [
      "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
      "byte_fallback", "ignore_merges", "vocab", "merges",
    ])
    guard field["dropout"].isAbsent else { throw field["dropout"].refusal("null") }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard try field[name].optionalText()?.isEmpty ?? true else {
        throw field[name].refusal("null")
      }
    }
    if try field["ignore_merges"].flag(default: false) {
      throw field["ignore_merges"].refusal("false")
    }
    let vocabulary = try PieceVocabulary(field["vocab"])
    var unknown: Int?
    if let text = try field["unk_token"].optionalText() {
      unknown = vocabulary.id(of: text)
      guard unknown != nil else { throw field["unk_token"].refusal("a piece of model.vocab") }
    }
    return try MergeModel(
      vocabulary, MergeList(field["merges"]), unknown: unknown,
      fusesUnknown: field["fuse_unk"].flag(default: false),
      usesBytes: field["byte_fallback"].flag(default: false))
  }

  /// Byte letters go with Qwen's pattern, marks with none.
  private static func checkSplit(
    _ field: JSONField, _ spelling: PieceSpelling
  ) throws(TokenizerError) {
    guard spelling == .byteLetters else {
      guard field.isAbsent else { throw field.refusal("null, as the decoder is LLaMA's") }
      return
    }
    guard try field["type"].text() == "Sequence" else {
      throw field["type"].refusal("a Sequence of Split and ByteLevel")
    }
    try field.expect(onlyKeys: ["type", "pretokenizers"])
    let steps = try field["pretokenizers"].elements()
    guard steps.count == 2 else {
      throw field["pretokenizers"].refusal("two steps, Split and ByteLevel")
    }
    try steps[0].expect([
      "type": "Split", "pattern": ["Regex": .string(WordSplitter.pattern)],
      "behavior": "Isolated", "invert": false,
    ])
    try steps[1].expect(onlyKeys: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
    try steps[1]["type"].expect("ByteLevel")
    try steps[1]["add_prefix_space"].expect(false)
    try steps[1]["use_regex"].expect(false)
  }

  /// Ids are those that the format's own reader gives, which goes by the order alone.
  private static func added(
    _ field: JSONField, to vocabulary: PieceVocabulary
  ) throws(TokenizerError) -> [AddedToken] {
    guard !field.isAbsent else { return [] }
    var tokens: [AddedToken] = []
    var known: Set<[UInt8]> = []
    var free = vocabulary.count
    for element in try field.elements() {
      let token = try AddedToken(element)
      guard known.insert(Array(token.text.utf8)).inserted else {
        throw element["content"].refusal("each token once")
      }
      let id = vocabulary.id(of: token.text)
      guard token.id == id ?? free else {
        throw element["id"].refusal(id.map { "\($0), as in model.vocab" } ?? "\(free), the next")
      }
      if id == nil, let piece = vocabulary.text(of: free) {
        throw element["id"].refusal("another id than that of \(piece)")
      }
      free = max(free, token.id + 1)
      tokens.append(token)
    }
    return tokens
  }

  /// The token before every text.
  private static func begin(_ field: JSONField) throws(TokenizerError) -> Int? {
    guard !field.isAbsent else { return nil }
    switch try field["type"].text() {
    case "ByteLevel":
      try field.expect(onlyKeys: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
      return nil
    case "TemplateProcessing":
      try field.expect(onlyKeys: ["type", "single", "pair", "special_tokens"])
      return try template(field)
    default: throw field["type"].refusal("ByteLevel or TemplateProcessing")
    }
  }

  private static func template(_ field: JSONField) throws(TokenizerError) -> Int? {
    let parts = try field["single"].elements()
    let expected = "the text A, with at most one token before it"
    guard let text = parts.last, parts.count <= 2 else {
      throw field["single"].refusal(expected)
    }
    guard text["Sequence"]["id"].value == "A" else { throw field["single"].refusal(expected) }
    guard parts.count == 2 else { return nil }
    guard let name = parts[0]["SpecialToken"]["id"].value?.string else {
      throw field["single"].refusal(expected)
    }
    let ids = try field["special_tokens"][name]["ids"].elements()
    guard ids.count == 1 else {
      throw field["special_tokens"][name]["ids"].refusal("one id")
    }
    return try ids[0].id()
  }
}
