// The rules of transformers 4.34 and later, which hold where tokens are stated in
// `added_tokens_decoder`. With `legacy`, text is cut as before and only read back differently.
extension SentencePieceTokenizer {
  /// Ids of a text, `legacy: false`: one blank before the whole text, none of sentencepiece's own.
  func laterPieces(of text: String) -> [Int] {
    guard !text.isEmpty else { return [] }
    let mark = BytePairEncoder.mark
    let parts = tokens.split(BytePairEncoder.blank + text.replacing(mark, with: " "))
    var ids = parts.flatMap { part in
      switch part {
      case .token(let token): id(of: token).map { [$0] } ?? []
      case .text(let text): encodeLater(text)
      }
    }
    // The blank that was put before a special token is removed again.
    if parts.count > 1, parts[0] == .text(BytePairEncoder.blank), case .token(let next) = parts[1],
      specialTexts.contains(Array(next.utf8)), ids.first == id(of: BytePairEncoder.blank)
    {
      ids.removeFirst()
    }
    return ids
  }

  /// A leading blank is kept by encoding it after other text, as the reference does.
  private func encodeLater(_ text: String) -> [Int] {
    guard let first = text.unicodeScalars.first, first == BytePairEncoder.mark || first == " "
    else { return encoder.encode(text).map(\.id) }
    let before = settings.unknown
    return encoder.encode(before + text).dropFirst(encoder.encode(before).count).map(\.id)
  }

  /// Text of ids: runs of pieces between added tokens, joined with blanks.
  func laterText(of ids: [Int], skipSpecial: Bool) -> String {
    var runs: [String] = []
    var run: [Int] = []
    for id in ids where !(skipSpecial && specialIDs.contains(id)) {
      guard let text = addedTexts[id] ?? piece(id) else { continue }
      guard cutting.contains(id) else {
        run.append(id)
        continue
      }
      let before = joinLater(run)
      if !before.isEmpty { runs.append(before) }
      run = []
      runs.append(text)
    }
    if !run.isEmpty { runs.append(joinLater(run)) }
    return runs.joined(separator: " ")
  }

  private func piece(_ id: Int) -> String? {
    id >= 0 && id < pieceCount ? decoder.model.pieces[id].text : nil
  }

  /// A run loses its leading blank; special pieces stand verbatim.
  private func joinLater(_ ids: [Int]) -> String {
    var text = ""
    var start = ""
    var run: [Int] = []
    var afterSpecial = false
    for (i, id) in ids.enumerated() {
      var token = addedTexts[id] ?? piece(id) ?? ""
      var id: Int? = id
      if i == 0, token.unicodeScalars.first == BytePairEncoder.mark {
        token = String(token.unicodeScalars.dropFirst())
        id = pieceID(of: token)
      }
      if specialTexts.contains(Array(token.utf8)) {
        if !afterSpecial, i > 0, settings.isLegacy { text += " " }
        text += decoder.decode(run, after: start) + token
        start = ""
        run = []
        afterSpecial = true
        continue
      }
      // What is left of the first piece need not be a piece.
      if let id { run.append(id) } else { start = token }
      afterSpecial = false
    }
    return text + decoder.decode(run, after: start)
  }
}
