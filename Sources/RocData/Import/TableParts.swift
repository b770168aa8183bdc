import RocDigest
import RocJSON

/// The parts of a table dataset's schemes: as the files say, by seed, by raters, or made from
/// others.
struct TableParts {
  /// `scheme/part` to places in the samples.
  private(set) var parts: [(name: String, members: [Int])]

  /// - Parameters:
  ///   - manifest: With its rules.
  ///   - samples: What the tables say.
  ///   - isUsed: Whether a picture has a label; others are in no part.
  init(_ manifest: Manifest, _ samples: TableSamples, isUsed: (Int) -> Bool) {
    parts = samples.parts.map { ($0.name, $0.members.filter(isUsed)) }
    if let seeded = manifest.seeded, parts.allSatisfy({ !$0.name.hasPrefix("\(seeded.scheme)/") }) {
      parts += Self.seeded(seeded, samples, isUsed)
    }
  }

  private subscript(name: String) -> [Int]? { parts.first { $0.name == name }?.members }

  /// The pictures whose hash of seed and name, or group, is smallest are the test part.
  private static func seeded(
    _ seeded: Manifest.Seeded, _ samples: TableSamples, _ isUsed: (Int) -> Bool
  ) -> [(String, [Int])] {
    let used = samples.entries.indices.filter(isUsed)
    let order = used.map { place in
      let entry = samples.entries[place]
      let group = seeded.group.flatMap { name in
        entry.extra.first { $0.name == name }?.value.string
      }
      return (SHA256.of("\(seeded.seed):\(group ?? entry.key)"), place)
    }.sorted { $0 < $1 }
    var count = Int((Double(order.count) * seeded.test).rounded())
    // A group is never cut: its pictures have the same hash.
    while count > 0, count < order.count, order[count].0 == order[count - 1].0 { count += 1 }
    return [
      ("\(seeded.scheme)/train", order.dropFirst(count).map(\.1)),
      ("\(seeded.scheme)/test", order.prefix(count).map(\.1)),
    ]
  }

  /// Adds the division by how much raters rated.
  ///
  /// - Parameters:
  ///   - rule: Which raters.
  ///   - rated: The pictures of each rater.
  ///   - all: All labelled pictures.
  mutating func add(_ rule: Manifest.ByRaters, rated: [String: Set<Int>], all: [Int]) {
    let chosen = rated.values.filter { (rule.low...rule.high).contains($0.count) }
    let test = chosen.reduce(into: Set<Int>()) { $0.formUnion($1) }
    parts.append(("\(rule.scheme)/train", all.filter { !test.contains($0) }))
    parts.append(("\(rule.scheme)/test", all.filter(test.contains)))
  }

  /// Adds a division that is made from others, when all that it is made from is there.
  ///
  /// - Parameters:
  ///   - scheme: Its rule.
  ///   - list: The places of the pictures on a list; nil when there is no such file.
  mutating func add(_ scheme: Manifest.Derived, list: (String) -> [Int]?) {
    var made: [(name: String, members: [Int])] = []
    for part in scheme.parts {
      guard let members = part.from.flatMap({ self[$0] }) ?? part.list.flatMap(list) else { return }
      var without: Set<Int> = []
      if let name = part.without {
        let own = made.first { $0.name == "\(scheme.name)/\(name)" }?.members
        guard let other = own ?? self[name] else { return }
        without = Set(other)
      }
      made.append(("\(scheme.name)/\(part.part)", members.filter { !without.contains($0) }))
    }
    parts += made
  }
}
