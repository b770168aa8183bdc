import RocImage

/// Finds pictures whose perceptual hashes differ in few bits.
///
/// Hashes are cut into 16 pieces of 16 bits. Two that differ in at most 15 bits agree in at least
/// one piece, so looking only at equal pieces finds every pair.
struct NearDuplicates {
  /// Bits of 256.
  ///
  /// Copies of one photo in other sizes and qualities differ in 0 to 10, different photos in about
  /// 128.
  static let closest = 15

  private let hashes: [(id: Int64, hash: PerceptualHash)]
  /// For each piece and value, the places in `hashes`.
  private var buckets: [[UInt16: [Int32]]]

  init(_ hashes: [(id: Int64, hash: PerceptualHash)]) {
    self.hashes = hashes
    buckets = Array(repeating: [:], count: PerceptualHash.byteCount / 2)
    for (place, item) in hashes.enumerated() {
      for piece in buckets.indices {
        buckets[piece][Self.piece(item.hash, piece), default: []].append(Int32(place))
      }
    }
  }

  private static func piece(_ hash: PerceptualHash, _ index: Int) -> UInt16 {
    UInt16(hash.bytes[2 * index]) << 8 | UInt16(hash.bytes[2 * index + 1])
  }

  /// The nearest picture that differs in at most `closest` bits.
  func match(_ hash: PerceptualHash) -> (id: Int64, distance: Int)? {
    var best: (id: Int64, distance: Int)?
    for piece in buckets.indices {
      for place in buckets[piece][Self.piece(hash, piece)] ?? [] {
        let other = hashes[Int(place)]
        let distance = hash.distance(to: other.hash)
        if distance <= Self.closest, distance < best?.distance ?? .max {
          best = (other.id, distance)
        }
      }
      if best?.distance == 0 { break }
    }
    return best
  }

  /// Calls `body` with the places of every two hashes that differ in at most `closest` bits; with
  /// some of them more than once.
  static func eachPair(_ hashes: [PerceptualHash], _ body: (Int, Int) -> Void) {
    let words = hashes.map { hash in
      SIMD4<UInt64>(
        (0..<4).map { word in
          hash.bytes[8 * word..<8 * word + 8].reduce(0) { $0 << 8 | UInt64($1) }
        })
    }
    for piece in 0..<PerceptualHash.byteCount / 2 {
      let order = words.indices.sorted { value(words[$0], piece) < value(words[$1], piece) }
      var start = 0
      while start < order.count {
        var end = start + 1
        let own = value(words[order[start]], piece)
        while end < order.count, value(words[order[end]], piece) == own { end += 1 }
        for first in start..<end {
          for second in first + 1..<max(end, first + 1) {
            let difference = words[order[first]] ^ words[order[second]]
            let bits = (0..<4).reduce(0) { $0 + difference[$1].nonzeroBitCount }
            if bits <= closest { body(order[first], order[second]) }
          }
        }
        start = end
      }
    }
  }

  /// The sixteen bits of a piece.
  private static func value(_ words: SIMD4<UInt64>, _ piece: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: words[piece / 4] >> UInt64(48 - 16 * (piece % 4)))
  }
}
