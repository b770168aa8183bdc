/// The slow LlamaTokenizer of transformers 4.31, which ROC4MLLM's official code pins, and of later
/// versions where `tokenizer_config.json` states the added tokens.
///
/// Added tokens cut the text first; sentencepiece BPE encodes what lies between them. With
/// `legacy` (the default) each stretch gets its own leading blank.
package struct SentencePieceTokenizer: Tokenizer {
  let settings: TokenizerSettings
  let encoder: BytePairEncoder
  let decoder: PieceDecoder
  let tokens: AddedTokens
  let addedTexts: [Int: String]
  let specialIDs: Set<Int>
  let specialTexts: Set<[UInt8]>
  /// Tokens between which runs of pieces are decoded, where tokens are stated.
  let cutting: Set<Int>
  private let pieceIDs: [[UInt8]: Int]

  package var isLegacy: Bool { settings.isLegacy }
  /// Pieces of the sentencepiece model.
  package let pieceCount: Int
  package var beginID: Int? { begin }
  package var endID: Int? { end }
  /// What pieces outside the vocabulary become; batches are padded with it, too.
  package var unknownID: Int? { unknown }
  private let begin: Int
  private let end: Int
  private let unknown: Int

  /// Reads `tokenizer.model`, `tokenizer_config.json`, `special_tokens_map.json` and
  /// `added_tokens.json`.
  ///
  /// - Parameters:
  ///   - folder: A checkpoint's folder.
  ///   - statesTokens: Whether `added_tokens_decoder` is used where there is one.
  /// - Throws: `TokenizerError` naming the file and what it lacks.
  package init(folder: String, statesTokens: Bool = true) throws(TokenizerError) {
    var model = try SentencePieceModel(path: "\(folder)/tokenizer.model")
    settings = try TokenizerSettings(
      folder: folder, pieces: model.pieces, statesTokens: statesTokens)
    // Later versions tell sentencepiece not to add the blank; 4.31 takes it away afterwards.
    if settings.stated != nil, !settings.isLegacy { model.addsDummyPrefix = false }
    encoder = BytePairEncoder(model)
    decoder = PieceDecoder(model: model)
    pieceCount = model.pieces.count
    specialTexts = Set(settings.special.map { Array($0.text.utf8) })
    tokens = AddedTokens(
      atoms: specialTexts.union(settings.added.keys)
        .union((settings.stated ?? []).map { Array($0.text.utf8) }),
      strips: settings.strips)
    var addedTexts: [Int: String] = [:]
    for (bytes, id) in settings.added {
      let text = String(decoding: bytes, as: UTF8.self)
      guard addedTexts.updateValue(text, forKey: id) == nil else {
        throw TokenizerError("\(settings.addedFile): two tokens have the id \(id)")
      }
    }
    self.addedTexts = addedTexts

    var ids: [[UInt8]: Int] = [:]
    for (id, piece) in model.pieces.enumerated() where ids[Array(piece.text.utf8)] == nil {
      ids[Array(piece.text.utf8)] = id
    }
    pieceIDs = ids
    let added = settings.added
    func find(_ text: String, _ role: String) throws(TokenizerError) -> Int {
      guard let id = added[Array(text.utf8)] ?? ids[Array(text.utf8)] else {
        throw TokenizerError(
          "\(folder)/tokenizer.model: no \(role) \(text) among its \(model.pieces.count) pieces")
      }
      return id
    }
    begin = try find(settings.begin, "begin-of-text token")
    end = try find(settings.end, "end-of-text token")
    var specialIDs: Set<Int> = []
    for special in settings.special {
      specialIDs.insert(try find(special.text, special.role))
    }
    self.specialIDs = specialIDs
    unknown = try find(settings.unknown, "unknown token")
    let further = try settings.additional.map { special throws(TokenizerError) in
      try find(special.text, special.role)
    }
    cutting = Set((settings.stated ?? []).map(\.id)).subtracting(specialIDs)
      .union(further.filter { $0 >= model.pieces.count })
  }

  /// Pieces and added tokens.
  package var count: Int { pieceCount + settings.added.count }

  package var largestID: Int { max(pieceCount - 1, settings.added.values.max() ?? 0) }

  /// The id of an added token or of a piece.
  package func id(of text: String) -> Int? { id(of: Array(text.utf8)) }

  func pieceID(of text: String) -> Int? { pieceIDs[Array(text.utf8)] }

  func id(of bytes: [UInt8]) -> Int? { settings.added[bytes] ?? pieceIDs[bytes] }

  /// Token ids, begin-of-text first where the settings say so.
  package func encode(_ text: String) -> [Int] {
    let ids =
      settings.stated != nil && !settings.isLegacy ? laterPieces(of: text) : pieces(of: text)
    return (settings.addsBegin ? [begin] : []) + ids + (settings.addsEnd ? [end] : [])
  }

  private func pieces(of text: String) -> [Int] {
    let blank = BytePairEncoder.blank
    let marked =
      settings.isLegacy ? text : blank + text.replacing(BytePairEncoder.mark, with: " ")
    return tokens.split(marked).flatMap { part -> [Int] in
      switch part {
      case .token(let token): return [id(of: token) ?? unknown]
      case .text(let text):
        return settings.isLegacy ? encoder.encode(text).map(\.id) : encodeNew(text)
      }
    }
  }

  /// `legacy: false`: only the start of the text keeps the leading blank.
  private func encodeNew(_ text: String) -> [Int] {
    let blank = BytePairEncoder.blank
    let isStart = text.unicodeScalars.first == "\u{2581}"
    let rest = isStart ? String(text.unicodeScalars.dropFirst()) : text
    let found = encoder.encode(rest)
    guard !isStart, rest.unicodeScalars.first != " ", let first = found.first,
      first.text.starts(with: blank.utf8)
    else { return found.map(\.id) }
    let trimmed = Array(first.text.dropFirst(blank.utf8.count))
    return (trimmed.isEmpty ? [] : [id(of: trimmed) ?? unknown])
      + found.dropFirst().map(\.id)
  }

  /// Text of ids: runs of pieces and added tokens, joined with blanks.
  ///
  /// - Parameters:
  ///   - ids: Ids below `count`.
  ///   - skipSpecial: Leaves `<s>`, `</s>` and `<unk>` out.
  /// - Returns: The text.
  package func decode(_ ids: [Int], skipSpecial: Bool) -> String {
    if settings.stated != nil { return laterText(of: ids, skipSpecial: skipSpecial) }
    var runs: [String] = []
    var run: [Int] = []
    for id in ids where !(skipSpecial && specialIDs.contains(id)) {
      if let text = addedTexts[id] {
        if !run.isEmpty { runs.append(join(run)) }
        run = []
        runs.append(text)
      } else if id >= 0, id < pieceCount {
        run.append(id)
      }
    }
    if !run.isEmpty { runs.append(join(run)) }
    return runs.joined(separator: " ")
  }

  /// Special pieces stand verbatim, with one blank before the first of several in a row.
  private func join(_ ids: [Int]) -> String {
    var text = ""
    var run: [Int] = []
    var afterSpecial = false
    for (i, id) in ids.enumerated() {
      let piece = decoder.model.pieces[id].text
      if specialTexts.contains(Array(piece.utf8)) {
        if !afterSpecial, i > 0 { text += " " }
        text += decoder.decode(run) + piece
        run = []
        afterSpecial = true
      } else {
        run.append(id)
        afterSpecial = false
      }
    }
    return text + decoder.decode(run)
  }
}
