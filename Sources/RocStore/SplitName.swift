package import GRDB
import RocNames

/// A part of a split scheme, written `scheme/part`.
package struct SplitName: Sendable, Equatable, CustomStringConvertible {
  package static let parts = ["train", "val", "test"]

  package let scheme: String
  package let part: String

  package init(scheme: String, part: String) {
    self.scheme = scheme
    self.part = part
  }

  package var description: String { "\(scheme)/\(part)" }

  package static func == (a: SplitName, b: SplitName) -> Bool {
    a.scheme.isExactly(b.scheme) && a.part.isExactly(b.part)
  }

  /// Finds what `text` names in a dataset: `scheme/part`, or a part of the default scheme.
  ///
  /// - Throws: `StoreError` that lists the splits there are.
  package static func resolve(
    _ text: String, in dataset: DatasetRecord, _ db: Database
  ) throws -> SplitName {
    let pieces = text.pieces("/", atMost: 2)
    let name =
      pieces.count == 2
      ? SplitName(scheme: pieces[0], part: pieces[1])
      : SplitName(scheme: dataset.defaultScheme, part: text)
    let known = try counts(dataset, db)
    guard known.contains(where: { $0.name == name }) else {
      let list = known.map { "\($0.name) (\($0.count))" }.joined(separator: ", ")
      throw StoreError(
        """
        \(dataset.name) has no split \(text); it has \
        \(list.isEmpty ? "none" : list)
        """, isMissing: true)
    }
    return name
  }

  /// Every part of every scheme with its size, the default scheme first.
  package static func counts(
    _ dataset: DatasetRecord, _ db: Database
  ) throws -> [(name: SplitName, count: Int)] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT name, part, count(*) AS n FROM split_members
        JOIN split_schemes ON split_schemes.id = scheme WHERE dataset = ?
        GROUP BY scheme, part ORDER BY name != ?, name,
          CASE part WHEN 'train' THEN 0 WHEN 'val' THEN 1 WHEN 'test' THEN 2 ELSE 3 END
        """, arguments: [dataset.id, dataset.defaultScheme]
    ).map { (SplitName(scheme: $0["name"], part: $0["part"]), $0["n"]) }
  }
}
