import RocDigest
import RocNames
import RocStore

/// The parts of a table dataset's schemes: as the files say, by raters, or made from others.
///
/// Everything is made from what the database holds after this source, so that files may come in
/// several imports and in any order.
struct TableParts {
  private let manifest: Manifest
  private let writer: DatasetWriter
  private(set) var splits: [(scheme: String, part: String, count: Int)] = []

  init(_ manifest: Manifest, _ writer: DatasetWriter) {
    self.manifest = manifest
    self.writer = writer
  }

  private mutating func note(_ scheme: String, _ part: String, _ count: Int) {
    splits.removeAll { $0.scheme == scheme && $0.part == part }
    splits.append((scheme, part, count))
  }

  /// Whether the scheme has parts already.
  private func has(_ scheme: String) -> Bool { splits.contains { $0.scheme == scheme } }

  /// Adds what the files of this source say.
  ///
  /// - Parameter parts: `scheme/part` to rows.
  /// - Throws: The database's errors.
  mutating func add(_ parts: [(name: String, rows: [Int64])]) throws {
    for (name, rows) in parts {
      let pieces = name.split(separator: "/", maxSplits: 1).map(String.init)
      let all = try writer.addMembers(pieces[0], pieces[1], rows)
      note(pieces[0], pieces[1], all.count)
    }
  }

  private mutating func set(_ scheme: String, _ part: String, _ rows: Set<Int64>) throws {
    try writer.setMembers(scheme, part, rows.sorted())
    note(scheme, part, rows.count)
  }

  /// The division by how much raters rated.
  mutating func addByRaters(all: [Int64]) throws {
    guard let rule = manifest.byRaters else { return }
    let rated = try writer.picturesByRater()
    guard !rated.isEmpty else { return }
    let chosen = rated.filter { (rule.low...rule.high).contains($0.count) }
    let test = Set(chosen.joined()).intersection(all)
    try set(rule.scheme, "train", Set(all).subtracting(test))
    try set(rule.scheme, "test", test)
  }

  /// Divisions made from others, each when all that it is made from is there.
  ///
  /// - Parameter list: The rows of the pictures on a list; nil when there is no such file.
  /// - Throws: The database's errors.
  mutating func addDerived(list: (String) -> Set<Int64>?) throws {
    for scheme in manifest.derived ?? [] {
      var made: [String: Set<Int64>] = [:]
      var isWhole = true
      for part in scheme.parts {
        var rows = try part.from.map(members)
        // A list may have come with an earlier source.
        if let file = part.list {
          rows =
            try list(file).map { try $0.union(writer.members(scheme.name, part.part)) }
            ?? writer.members(scheme.name, part.part)
        }
        var without: Set<Int64> = []
        if let name = part.without { without = try made[name] ?? members(name) }
        guard let rows, !rows.isEmpty, part.without == nil || !without.isEmpty else {
          isWhole = false
          break
        }
        made[part.part] = rows.subtracting(without)
      }
      guard isWhole else { continue }
      for part in scheme.parts { try set(scheme.name, part.part, made[part.part] ?? []) }
    }
  }

  private func members(_ name: String) throws -> Set<Int64> {
    let pieces = name.split(separator: "/", maxSplits: 1).map(String.init)
    return pieces.count == 2 ? try writer.members(pieces[0], pieces[1]) : []
  }

  /// The division by hash.
  ///
  /// - Parameter pictures: The name and the row of every picture, and what keeps it together with
  ///   others.
  /// - Throws: The database's errors.
  mutating func addSeeded(_ pictures: [(key: ImageKey, row: Int64, group: String?)]) throws {
    guard let rule = manifest.seeded, !has(rule.scheme) else { return }
    let test = Set(pictures.filter { rule.isTest($0.key, group: $0.group) }.map(\.row))
    try set(rule.scheme, "train", Set(pictures.map(\.row)).subtracting(test))
    try set(rule.scheme, "test", test)
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
  func isTest(_ key: ImageKey, group: String?) -> Bool {
    let digest = SHA256.of("\(seed):\(group ?? key.text)").prefix(16)
    return Double(UInt64(digest, radix: 16) ?? 0) < test * 0x1p64
  }
}
