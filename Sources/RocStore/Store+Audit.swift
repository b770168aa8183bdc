import GRDB
package import RocNames

/// What audits compare.
extension Store {
  /// A picture's names and content.
  package struct Identity: Sendable {
    package let id: Int64
    package let key: ImageKey
    package var baseName: String { key.base }
    package let sha256: String?
    /// 32 bytes; nil until the picture is decoded, and for one without structure.
    package let perceptualHash: [UInt8]?
    package let score: Double
    /// What it was made from, where the labels say so.
    package let group: String?
  }

  /// All pictures of a dataset by row, and the members of every part.
  ///
  /// - Parameters:
  ///   - dataset: Which one.
  ///   - groups: Columns that name what pictures were made from, without quotation marks.
  /// - Returns: Members are sorted by their rows.
  /// - Throws: The database's errors.
  package func identities(
    _ dataset: DatasetRecord, groups: [String] = []
  ) throws -> (pictures: [Int64: Identity], parts: [(name: SplitName, members: [Int64])]) {
    let columns = groups.map { column in
      // Written into the query: a bound path would cost time for every row.
      "nullif(json_extract(extra, '$.\"\(column.replacingBytes(of: "'", with: "''"))\"'), '')"
    }
    let group =
      columns.isEmpty ? "NULL" : "coalesce(\((columns + ["NULL"]).joined(separator: ", ")))"
    return try read { db in
      var pictures: [Int64: Identity] = [:]
      let rows = try RowReader(
        db,
        """
        SELECT id, key, sha256, perceptual_hash, gt_score, \(group) FROM samples NOT INDEXED
        WHERE dataset = CAST(? AS INTEGER)
        """, [String(dataset.id ?? 0)])
      while try rows.next() {
        let id = rows.integer(0)
        pictures[id] = Identity(
          id: id, key: ImageKey(rows.text(1) ?? ""), sha256: rows.text(2),
          perceptualHash: rows.bytes(3) { Array($0) }, score: rows.real(4), group: rows.text(5))
      }
      return (pictures, try Self.members(of: dataset, db))
    }
  }

  /// A number that changes with what is known of the pictures' bytes; for this process only.
  package func contentStamp(of dataset: DatasetRecord) throws -> Int {
    try read { db in
      let rows = try RowReader(
        db,
        """
        SELECT sha256 FROM samples NOT INDEXED WHERE dataset = CAST(? AS INTEGER) ORDER BY id
        """, [String(dataset.id ?? 0)])
      var hasher = Hasher()
      while try rows.next() { hasher.combine(rows.text(0)) }
      return hasher.finalize()
    }
  }

  /// The rows of the pictures in every part, sorted.
  package func members(
    of dataset: DatasetRecord
  ) throws -> [(name: SplitName, members: [Int64])] {
    try read { try Self.members(of: dataset, $0) }
  }

  private static func members(
    of dataset: DatasetRecord, _ db: Database
  ) throws -> [(name: SplitName, members: [Int64])] {
    try SplitName.counts(dataset, db).map { part in
      (
        part.name,
        try Int64.fetchAll(
          db,
          sql: """
            SELECT sample FROM split_members JOIN split_schemes ON split_schemes.id = scheme
            WHERE dataset = ? AND name = ? AND part = ? ORDER BY sample
            """, arguments: [dataset.id, part.name.scheme, part.name.part])
      )
    }
  }

  /// The id lists that were imported, with all names on them, labelled or not.
  package func lists(_ dataset: DatasetRecord) throws -> [(name: String, keys: [ImageKey])] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT name, keys FROM lists WHERE dataset = ? ORDER BY name",
        arguments: [dataset.id]
      ).map { row in
        (row["name"], ImageKey.lines(row["keys"]))
      }
    }
  }
}
