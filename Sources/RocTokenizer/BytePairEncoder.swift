/// Sentencepiece's byte-pair encoding: the best-scored pair is merged first, leftmost on ties.
struct BytePairEncoder: Sendable {
  /// What stands for a blank in pieces.
  static let mark: UnicodeScalar = "\u{2581}"
  static let blank = String(mark)
  private static let blankBytes = Array(blank.utf8)

  private let model: SentencePieceModel
  /// Pieces that text can match, by their bytes: Swift's strings are equal when they are
  /// canonically equivalent, and "é" has two spellings that are two pieces.
  private let ids: [[UInt8]: Int]
  private let texts: [[UInt8]]
  private let byteIDs: [Int?]
  private let unknown: Int

  init(_ model: SentencePieceModel) {
    self.model = model
    var ids: [[UInt8]: Int] = [:]
    texts = model.pieces.map { Array($0.text.utf8) }
    var byteIDs = [Int?](repeating: nil, count: 256)
    var unknown = 0
    for (id, piece) in model.pieces.enumerated() {
      switch piece.kind {
      case .normal, .userDefined, .unused:
        if ids[texts[id]] == nil { ids[texts[id]] = id }
      case .byte:
        // "<0xE4>"
        if let byte = UInt8(piece.text.dropFirst(3).dropLast(), radix: 16) {
          byteIDs[Int(byte)] = id
        }
      case .unknown: unknown = id
      case .control: break
      }
    }
    self.ids = ids
    self.byteIDs = byteIDs
    self.unknown = unknown
  }

  /// - Parameter text: Any text; blanks are kept, one is put before it where the model says so.
  /// - Returns: Ids and the texts they stand for, unknown characters as their UTF-8 bytes.
  func encode(_ text: String) -> [(id: Int, text: [UInt8])] {
    guard !text.isEmpty else { return [] }
    var scalars: [[UInt8]] = model.addsDummyPrefix ? [Self.blankBytes] : []
    for scalar in text.unicodeScalars {
      scalars.append(scalar == " " ? Self.blankBytes : Array(UTF8.encode(scalar) ?? .init()))
    }
    return merge(scalars).flatMap { symbol -> [(id: Int, text: [UInt8])] in
      if let id = ids[symbol] { return [(id, symbol)] }
      let bytes = symbol.map { byteIDs[Int($0)] }
      guard !bytes.contains(nil) else { return [(unknown, symbol)] }
      return bytes.compactMap { $0 }.map { ($0, texts[$0]) }
    }
  }

  /// A pair of neighbours that forms a piece.
  private struct Candidate: Comparable {
    let score: Float
    let left: Int
    let right: Int
    let text: [UInt8]

    static func < (a: Candidate, b: Candidate) -> Bool {
      a.score != b.score ? a.score > b.score : a.left < b.left
    }
  }

  private func merge(_ scalars: [[UInt8]]) -> [[UInt8]] {
    var symbols = scalars
    var next = Array(1...scalars.count)
    var previous = Array(-1..<scalars.count - 1)
    var agenda = Heap<Candidate>()

    func offer(_ left: Int, _ right: Int) {
      guard left >= 0, right < symbols.count else { return }
      let text = symbols[left] + symbols[right]
      guard let id = ids[text] else { return }
      agenda.insert(
        Candidate(
          score: model.pieces[id].score, left: left, right: right, text: text))
    }

    for i in 0..<symbols.count - 1 { offer(i, i + 1) }
    while let best = agenda.popFirst() {
      // A side that was merged elsewhere meanwhile is empty or longer.
      guard !symbols[best.left].isEmpty, !symbols[best.right].isEmpty,
        symbols[best.left].count + symbols[best.right].count == best.text.count
      else { continue }
      symbols[best.left] = best.text
      symbols[best.right] = []
      next[best.left] = next[best.right]
      if next[best.left] < symbols.count { previous[next[best.left]] = best.left }
      offer(previous[best.left], best.left)
      offer(best.left, next[best.left])
    }
    return symbols.filter { !$0.isEmpty }
  }
}
