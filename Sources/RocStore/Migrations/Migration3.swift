import GRDB

extension Migrations {
  /// Single ratings with who gave them, comments with where they come from, what decoding a picture
  /// finds beyond its size, and the manifest that a dataset was read with.
  ///
  /// The table of samples is made anew because a check with IN (…) builds a list for every row,
  /// which took as long as all the rest of an import.
  static func keepRatings(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE wider_samples (
          id INTEGER PRIMARY KEY,
          dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
          key TEXT NOT NULL,
          base_name TEXT NOT NULL,
          path TEXT,
          width INTEGER,
          height INTEGER,
          format TEXT,
          sha256 TEXT,
          perceptual_hash BLOB,
          image_state TEXT NOT NULL DEFAULT 'unknown'
            CHECK (image_state = 'unknown' OR image_state = 'missing' OR image_state = 'found'
              OR image_state = 'readable' OR image_state = 'unreadable'),
          image_reason TEXT,
          image_flags TEXT NOT NULL DEFAULT '',
          gt_score REAL NOT NULL,
          extra TEXT
        );
        INSERT INTO wider_samples (id, dataset, key, base_name, path, width, height, sha256,
            image_state, image_reason, gt_score, extra)
          SELECT id, dataset, key, base_name, path, width, height, sha256, image_state,
            image_reason, gt_score, extra FROM samples;
        DROP TABLE samples;
        ALTER TABLE wider_samples RENAME TO samples;
        \(keyIndex);
        ALTER TABLE datasets ADD COLUMN variant TEXT;
        ALTER TABLE datasets ADD COLUMN manifest TEXT NOT NULL DEFAULT '';
        CREATE TABLE sourced_comments (
          sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
          source TEXT NOT NULL,
          position INTEGER NOT NULL,
          text TEXT NOT NULL,
          clean TEXT,
          PRIMARY KEY (sample, source, position)
        ) WITHOUT ROWID;
        INSERT INTO sourced_comments (sample, source, position, text)
          SELECT sample, '', position, text FROM comments;
        DROP TABLE comments;
        ALTER TABLE sourced_comments RENAME TO comments;
        CREATE TABLE raters (
          id INTEGER PRIMARY KEY,
          dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
          name TEXT NOT NULL,
          extra TEXT,
          UNIQUE (dataset, name)
        );
        CREATE TABLE ratings (
          sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
          rater INTEGER NOT NULL REFERENCES raters (id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          score REAL NOT NULL,
          extra TEXT,
          PRIMARY KEY (sample, rater, position)
        ) WITHOUT ROWID;
        CREATE TABLE rater_members (
          dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
          scheme TEXT NOT NULL,
          part TEXT NOT NULL,
          rater TEXT NOT NULL,
          PRIMARY KEY (dataset, scheme, part, rater)
        ) WITHOUT ROWID;
        CREATE INDEX ratings_by_rater ON ratings (rater);
        """)
  }

  /// Keys are unique in a dataset.
  static let keyIndex = "CREATE UNIQUE INDEX samples_by_key ON samples (dataset, key)"
}
