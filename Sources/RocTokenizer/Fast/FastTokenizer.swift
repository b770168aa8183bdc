/// A tokenizer of `tokenizer.json`, as the fast classes of transformers read it.
///
/// Two families are known: Qwen2's, whose pieces spell bytes, and LLaMA's, whose pieces are text
/// with marks for blanks. Anything else that a file says is refused.
package struct FastTokenizer: Tokenizer {
  private let model: MergeModel
  private let normalizer: TextNormalizer
  private let spelling: PieceSpelling
  /// Looked for in the raw text.
  private let rawTokens: AddedTokenCutter
  /// Looked for in the normalized text between those.
  private let normalizedTokens: AddedTokenCutter
  private let addedIDs: [[UInt8]: Int]
  private let added: [Int: AddedToken]

  package let count: Int
  package let largestID: Int
  package let beginID: Int?
  package let endID: Int?
  package var unknownID: Int? { model.unknown }

  /// Reads `tokenizer.json` or, where there is none, `vocab.json` and `merges.txt`, and the files
  /// beside them.
  ///
  /// - Throws: `TokenizerError` naming file and key of what is missing, wrong or not known.
  package init(folder: String) throws(TokenizerError) {
    let settings = try FastTokenizerSettings(folder: folder)
    if let json = try JSONField(path: "\(folder)/tokenizer.json") {
      self.init(try FastTokenizerFile(json), settings)
      try settings.check(against: json.file, self)
    } else if let vocabulary = try JSONField(path: "\(folder)/vocab.json") {
      let file = try FastTokenizerFile(
        vocabulary: vocabulary, merges: "\(folder)/merges.txt", added: settings.tokens)
      try settings.checkOlder(against: file.model.vocabulary)
      self.init(file, settings)
    } else {
      throw TokenizerError("\(folder): no tokenizer.json, and no vocab.json with merges.txt")
    }
  }

  private init(_ file: FastTokenizerFile, _ settings: FastTokenizerSettings) {
    model = file.model
    normalizer = file.normalizer
    spelling = file.spelling
    beginID = file.begin
    let normalize = normalizer
    // Of tokens that look the same when normalized, special ones come first.
    let inOrder = file.added.filter(\.isSpecial) + file.added.filter { !$0.isSpecial }
    rawTokens = AddedTokenCutter(
      inOrder.filter { !$0.isNormalized }.map { (Array($0.text.unicodeScalars), $0) })
    normalizedTokens = AddedTokenCutter(
      inOrder.filter(\.isNormalized).map { (normalize(Array($0.text.unicodeScalars)[...]), $0) })
    var addedIDs: [[UInt8]: Int] = [:]
    var added: [Int: AddedToken] = [:]
    for token in file.added {
      addedIDs[Array(token.text.utf8)] = token.id
      added[token.id] = token
    }
    self.addedIDs = addedIDs
    self.added = added
    let vocabulary = model.vocabulary
    let further = added.keys.filter { vocabulary.text(of: $0) == nil }
    count = vocabulary.count + further.count
    largestID = max(vocabulary.largestID ?? 0, further.max() ?? 0)
    endID = settings.end.flatMap { addedIDs[Array($0.utf8)] ?? vocabulary.id(of: $0) }
  }

  /// The id of an added token or of a piece.
  package func id(of text: String) -> Int? {
    addedIDs[Array(text.utf8)] ?? model.vocabulary.id(of: text)
  }

  func isAdded(_ text: String) -> Bool { addedIDs[Array(text.utf8)] != nil }

  /// Token ids, the begin-of-text token first where the file has one.
  package func encode(_ text: String) -> [Int] {
    var ids = beginID.map { [$0] } ?? []
    for part in rawTokens.cut(Array(text.unicodeScalars)) {
      switch part {
      case .token(let token): ids.append(token.id)
      case .text(let text):
        for part in normalizedTokens.cut(normalizer(text)) {
          switch part {
          case .token(let token): ids.append(token.id)
          case .text(let text): ids += pieces(of: text)
          }
        }
      }
    }
    return ids
  }

  private func pieces(of text: ArraySlice<Unicode.Scalar>) -> [Int] {
    switch spelling {
    case .marks: return model.encode(Array(text))
    case .byteLetters:
      let text = Array(text)
      return WordSplitter.words(text).flatMap { model.encode(ByteLetters.spell(text[$0])) }
    }
  }

  /// Text of ids; those that belong to no token are passed over.
  ///
  /// - Parameters:
  ///   - ids: Ids of pieces and added tokens.
  ///   - skipSpecial: Leaves special tokens out.
  /// - Returns: The text.
  package func decode(_ ids: [Int], skipSpecial: Bool) -> String {
    var pieces: [String] = []
    for id in ids {
      if let token = added[id] {
        if !(skipSpecial && token.isSpecial) { pieces.append(token.text) }
      } else if let text = model.vocabulary.text(of: id) {
        pieces.append(text)
      }
    }
    return spelling.text(of: pieces)
  }
}
