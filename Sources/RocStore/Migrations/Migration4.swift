import GRDB

extension Migrations {
  /// Base names are computed from the keys on demand: stored, they were the second largest column,
  /// and a generated column costs an import a tenth of its time.
  static func computeBaseNames(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE samples DROP COLUMN base_name;
        CREATE VIEW base_names AS
          SELECT id AS sample, dataset, key,
            substr(key, length(rtrim(key, replace(key, '/', ''))) + 1) AS base_name
          FROM samples;
        """)
  }
}
