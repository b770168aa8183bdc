/// Byte-pair encoding by a list of merges: of all neighbours, those whose merge stands first in the
/// list are merged first, leftmost on ties.
struct MergeModel: Sendable {
  private struct Merge: Sendable {
    let rank: Int
    let id: Int
  }

  let vocabulary: PieceVocabulary
  /// What letters outside the vocabulary become.
  let unknown: Int?
  private let fusesUnknown: Bool
  private let letters: [Unicode.Scalar: Int]
  /// Pieces of the bytes that letters outside the vocabulary become, where they do.
  private let bytes: [Int?]
  /// By the ids of both sides.
  private let merges: [UInt64: Merge]

  /// - Parameters:
  ///   - vocabulary: The pieces.
  ///   - list: The merges; all sides and all results must be pieces.
  ///   - unknown: The piece for letters that are not in the vocabulary.
  ///   - fusesUnknown: Several such letters in a row become one piece.
  ///   - usesBytes: Pieces of bytes stand for them instead.
  /// - Throws: `TokenizerError` naming a merge of something that is not a piece.
  init(
    _ vocabulary: PieceVocabulary, _ list: MergeList, unknown: Int? = nil,
    fusesUnknown: Bool = false, usesBytes: Bool = false
  ) throws(TokenizerError) {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.fusesUnknown = fusesUnknown
    letters = vocabulary.letters
    bytes = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return usesBytes ? vocabulary.id(of: "<0x\(byte < 16 ? "0" : "")\(digits)>") : nil
    }
    var merges: [UInt64: Merge] = [:]
    merges.reserveCapacity(list.pairs.count)
    for (rank, pair) in list.pairs.enumerated() {
      guard let left = vocabulary[pair.left] else { throw list.unknown(pair.left, in: pair) }
      guard let right = vocabulary[pair.right] else { throw list.unknown(pair.right, in: pair) }
      let whole = pair.left + pair.right
      guard let id = vocabulary[whole] else { throw list.unknown(whole, in: pair) }
      // Of a pair that stands twice, the later place counts.
      merges[Self.key(left, right)] = Merge(rank: rank, id: id)
    }
    self.merges = merges
  }

  /// Ids fit 32 bits.
  private static func key(_ left: Int, _ right: Int) -> UInt64 {
    UInt64(left) << 32 | UInt64(right)
  }

  /// Ids of a word.
  func encode(_ word: [Unicode.Scalar]) -> [Int] {
    var symbols: [Int] = []
    symbols.reserveCapacity(word.count)
    var isUnknown = false
    for letter in word {
      if let id = letters[letter] {
        if isUnknown, let unknown { symbols.append(unknown) }
        isUnknown = false
        symbols.append(id)
        continue
      }
      let ids = (UTF8.encode(letter) ?? .init()).map { bytes[Int($0)] }
      if !ids.contains(nil) {
        // An unknown letter before these bytes comes after them, as in the format's own reader.
        symbols += ids.compactMap { $0 }
      } else {
        if isUnknown, !fusesUnknown, let unknown { symbols.append(unknown) }
        isUnknown = true
      }
    }
    if isUnknown, let unknown { symbols.append(unknown) }
    return merged(symbols)
  }

  /// Neighbours that a merge is known for.
  private struct Candidate: Comparable {
    let rank: Int
    let left: Int
    let id: Int

    static func < (a: Candidate, b: Candidate) -> Bool {
      a.rank != b.rank ? a.rank < b.rank : a.left < b.left
    }
  }

  private func merged(_ word: [Int]) -> [Int] {
    guard word.count > 1 else { return word }
    // A symbol that went into the one before it is -1.
    var symbols = word
    var next = Array(1...word.count)
    var previous = Array(-1..<word.count - 1)
    var agenda = Heap<Candidate>()

    func merge(_ left: Int) -> Merge? {
      guard left >= 0, symbols[left] >= 0, next[left] < symbols.count else { return nil }
      return merges[Self.key(symbols[left], symbols[next[left]])]
    }
    func offer(_ left: Int) {
      guard let merge = merge(left) else { return }
      agenda.insert(Candidate(rank: merge.rank, left: left, id: merge.id))
    }

    for i in symbols.indices.dropLast() { offer(i) }
    while let best = agenda.popFirst() {
      // One of the sides was merged elsewhere meanwhile.
      guard merge(best.left)?.id == best.id else { continue }
      let right = next[best.left]
      symbols[best.left] = best.id
      symbols[right] = -1
      next[best.left] = next[right]
      if next[best.left] < symbols.count { previous[next[best.left]] = best.left }
      offer(previous[best.left])
      offer(best.left)
    }
    return symbols.filter { $0 >= 0 }
  }
}
