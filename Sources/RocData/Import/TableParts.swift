import RocDigest

/// The parts of a table dataset's schemes: as the files say, by raters, or made from others.
struct TableParts {
  /// `scheme/part` to places in the samples.
  private(set) var parts: [(name: String, members: [Int])]

  /// - Parameters:
  ///   - samples: What the tables say.
  ///   - isUsed: Whether a picture has a label; others are in no part.
  init(_ samples: TableSamples, isUsed: (Int) -> Bool) {
    parts = samples.parts.map { ($0.name, $0.members.filter(isUsed)) }
  }

  /// Whether the files themselves have the scheme.
  func has(_ scheme: String) -> Bool { parts.contains { $0.name.hasPrefix("\(scheme)/") } }

  private subscript(name: String) -> [Int]? { parts.first { $0.name == name }?.members }

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

extension Manifest.Seeded {
  /// Whether a picture belongs to the test part: its hash alone decides, so that a picture stays
  /// where it is when others are added, and a group is never cut.
  ///
  /// - Parameters:
  ///   - key: The picture's name in the database.
  ///   - group: What it has in the column `group`.
  /// - Returns: The same on every machine.
  func isTest(_ key: String, group: String?) -> Bool {
    let digest = SHA256.of("\(seed):\(group ?? key)").prefix(16)
    return Double(UInt64(digest, radix: 16) ?? 0) < test * 0x1p64
  }
}
