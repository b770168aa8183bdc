import GRDB

extension Migrations {
  /// Several records of one line that were set aside stay several rows, each with its number; what
  /// files say of pictures whose labels have not come yet.
  static func keepRecordNumbers(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE numbered_quarantine (
          id INTEGER PRIMARY KEY,
          dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
          file TEXT NOT NULL,
          line INTEGER NOT NULL,
          record INTEGER,
          reason TEXT NOT NULL,
          content TEXT NOT NULL
        );
        INSERT INTO numbered_quarantine (dataset, file, line, reason, content)
          SELECT dataset, file, line, reason, content FROM quarantine ORDER BY dataset, file, line;
        DROP TABLE quarantine;
        ALTER TABLE numbered_quarantine RENAME TO quarantine;
        CREATE INDEX quarantine_by_file ON quarantine (dataset, file);
        CREATE TABLE waiting (
          dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          kind TEXT NOT NULL,
          name TEXT NOT NULL,
          value TEXT NOT NULL,
          PRIMARY KEY (dataset, key, kind, name)
        ) WITHOUT ROWID;
        """)
  }
}
