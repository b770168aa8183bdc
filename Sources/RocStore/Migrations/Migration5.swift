import GRDB

extension Migrations {
  /// Vote counts of attributes, as a JSON array like those of the score itself.
  static func keepAttributeVotes(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE attribute_votes (
          sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
          name TEXT NOT NULL,
          counts TEXT NOT NULL,
          PRIMARY KEY (sample, name)
        ) WITHOUT ROWID;
        """)
  }
}
