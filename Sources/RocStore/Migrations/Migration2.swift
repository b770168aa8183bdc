import GRDB

extension Migrations {
  /// What audits need: the names on an id list, labelled or not, one a line, and whether pictures
  /// of the same base name are one photo.
  static func keepListedNames(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE lists ADD COLUMN keys TEXT NOT NULL DEFAULT '';
        ALTER TABLE datasets ADD COLUMN names_are_photos INTEGER NOT NULL DEFAULT 0;
        """)
  }
}
