import RocImage
package import RocNames
package import RocStore

/// Pictures of a dataset that show the same: with the same bytes, or with perceptual hashes that
/// differ in at most `NearDuplicates.closest` bits.
package struct LookAlikes: Sendable {
  /// Pictures that look alike, by row; each one resembles at least one other.
  package let groups: [[Int64]]
  private let groupBySample: [Int64: Int]

  /// Compares all pictures that were decoded.
  ///
  /// - Parameters:
  ///   - store: Where the dataset is.
  ///   - dataset: Which one.
  /// - Throws: The database's errors.
  package init(_ store: Store, _ dataset: DatasetRecord) throws {
    let pictures = try store.identities(dataset).pictures.values.sorted { $0.id < $1.id }
    var sets = DisjointSets(count: pictures.count)
    var byContent: [String: Int] = [:]
    for (place, picture) in pictures.enumerated() {
      guard let sha256 = picture.sha256 else { continue }
      if let first = byContent[sha256] {
        sets.join(first, place)
      } else {
        byContent[sha256] = place
      }
    }
    let hashed = pictures.indices.filter { pictures[$0].perceptualHash != nil }
    let hashes = hashed.compactMap { place in
      pictures[place].perceptualHash.flatMap(PerceptualHash.init(bytes:))
    }
    NearDuplicates.eachPair(hashes) { sets.join(hashed[$0], hashed[$1]) }
    var members: [Int: [Int64]] = [:]
    for place in pictures.indices {
      members[sets.root(place), default: []].append(pictures[place].id)
    }
    groups = members.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    groupBySample = Dictionary(
      uniqueKeysWithValues: groups.enumerated().flatMap { number, group in
        group.map { ($0, number) }
      })
  }

  /// The other pictures that look like one.
  package func others(like sample: Int64) -> [Int64] {
    groupBySample[sample].map { groups[$0].filter { $0 != sample } } ?? []
  }
}

/// Sets that only ever grow together.
private struct DisjointSets {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  mutating func root(_ item: Int) -> Int {
    var item = item
    while parents[item] != item {
      parents[item] = parents[parents[item]]
      item = parents[item]
    }
    return item
  }

  mutating func join(_ a: Int, _ b: Int) {
    let (first, second) = (root(a), root(b))
    // The smaller place stays the root, so that results do not depend on the order of pairs.
    parents[max(first, second)] = min(first, second)
  }
}
