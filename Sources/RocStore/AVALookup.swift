package import GRDB
package import RocNames

/// Scores, votes and the official test part of the dataset `ava` in the same database, one picture
/// at a time.
package struct AVALookup {
  private let dataset: Int64
  private let db: Database

  /// - Returns: Nil for a dataset that is not stored.
  package init?(_ ava: DatasetRecord, _ db: Database) throws {
    guard let id = ava.id else { return nil }
    dataset = id
    self.db = db
  }

  package func label(_ key: ImageKey) throws -> (score: Double, votes: [Int]?)? {
    let row = try Row.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT gt_score, counts FROM samples LEFT JOIN votes ON votes.sample = samples.id
          WHERE dataset = ? AND key = ?
          """), arguments: [dataset, key])
    guard let row else { return nil }
    let counts: String? = row["counts"]
    return (row["gt_score"], counts.map(VoteText.decode))
  }

  package func testKeys() throws -> Set<ImageKey> {
    try Set(
      ImageKey.fetchAll(
        db,
        sql: """
          SELECT key FROM split_members JOIN split_schemes ON split_schemes.id = scheme
          JOIN samples ON samples.id = sample
          WHERE split_schemes.dataset = ? AND name = 'official' AND part = 'test'
          """, arguments: [dataset]))
  }
}
