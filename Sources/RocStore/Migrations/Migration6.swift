import GRDB

extension Migrations {
  /// What a prediction was made from and when, who is scoring what at the moment, what each score of
  /// an answer stands for, and which parts a checkpoint was trained on.
  static func shareRuns(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE predictions ADD COLUMN picture_sha256 TEXT;
        ALTER TABLE predictions ADD COLUMN picture_bytes INTEGER;
        ALTER TABLE predictions ADD COLUMN picture_modified REAL;
        ALTER TABLE predictions ADD COLUMN written_at REAL NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN targets TEXT NOT NULL DEFAULT 'gt_score';
        CREATE TABLE leases (
          run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
          sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
          owner TEXT NOT NULL,
          until REAL NOT NULL,
          PRIMARY KEY (run, sample)
        ) WITHOUT ROWID;
        CREATE TABLE training_parts (
          checkpoint_sha256 TEXT NOT NULL,
          dataset TEXT NOT NULL,
          scheme TEXT NOT NULL,
          part TEXT NOT NULL,
          PRIMARY KEY (checkpoint_sha256, dataset, scheme, part)
        ) WITHOUT ROWID;
        """)
  }
}
