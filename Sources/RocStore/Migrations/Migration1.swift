import GRDB

extension Migrations {
  /// Datasets with samples, votes and splits; runs with predictions.
  ///
  /// Votes are one row per picture with the counts as a JSON array: one per bin costs 8 times more.
  static func createTables(_ db: Database) throws {
    try db.execute(sql: datasetTables)
    try db.execute(sql: runTables)
  }

  private static let datasetTables = """
    CREATE TABLE datasets (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      title TEXT NOT NULL,
      low REAL NOT NULL,
      high REAL NOT NULL,
      direction TEXT NOT NULL CHECK (direction IN ('higher', 'lower')),
      threshold REAL NOT NULL,
      bins INTEGER,
      bin_first REAL,
      bin_step REAL,
      default_scheme TEXT NOT NULL,
      image_folder TEXT
    );
    CREATE TABLE samples (
      id INTEGER PRIMARY KEY,
      dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
      key TEXT NOT NULL,
      base_name TEXT NOT NULL,
      path TEXT,
      width INTEGER,
      height INTEGER,
      sha256 TEXT,
      image_state TEXT NOT NULL DEFAULT 'unknown'
        CHECK (image_state IN ('unknown', 'found', 'missing', 'readable', 'unreadable')),
      image_reason TEXT,
      gt_score REAL NOT NULL,
      extra TEXT,
      UNIQUE (dataset, key)
    );
    CREATE TABLE votes (
      sample INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE,
      counts TEXT NOT NULL,
      total INTEGER NOT NULL
    );
    CREATE TABLE attributes (
      sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      value REAL NOT NULL,
      PRIMARY KEY (sample, name)
    ) WITHOUT ROWID;
    CREATE TABLE comments (
      sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      text TEXT NOT NULL,
      PRIMARY KEY (sample, position)
    ) WITHOUT ROWID;
    CREATE TABLE vocabularies (
      dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      number INTEGER NOT NULL,
      name TEXT NOT NULL,
      PRIMARY KEY (dataset, kind, number)
    ) WITHOUT ROWID;
    CREATE TABLE split_schemes (
      id INTEGER PRIMARY KEY,
      dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      UNIQUE (dataset, name)
    );
    CREATE TABLE split_members (
      scheme INTEGER NOT NULL REFERENCES split_schemes (id) ON DELETE CASCADE,
      part TEXT NOT NULL,
      sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
      PRIMARY KEY (scheme, part, sample)
    ) WITHOUT ROWID;
    CREATE TABLE lists (
      dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      listed INTEGER NOT NULL,
      unlabelled INTEGER NOT NULL,
      PRIMARY KEY (dataset, name)
    ) WITHOUT ROWID;
    CREATE TABLE quarantine (
      dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
      file TEXT NOT NULL,
      line INTEGER NOT NULL,
      reason TEXT NOT NULL,
      content TEXT NOT NULL,
      PRIMARY KEY (dataset, file, line)
    ) WITHOUT ROWID;
    """

  private static let runTables = """
    CREATE TABLE runs (
      id INTEGER PRIMARY KEY,
      dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
      fingerprint TEXT NOT NULL,
      checkpoint TEXT NOT NULL,
      checkpoint_sha256 TEXT NOT NULL,
      question TEXT NOT NULL,
      preprocessing TEXT NOT NULL,
      precision TEXT NOT NULL,
      engine TEXT NOT NULL,
      low REAL NOT NULL,
      high REAL NOT NULL,
      tokens INTEGER NOT NULL,
      started_at TEXT NOT NULL,
      UNIQUE (dataset, fingerprint)
    );
    CREATE TABLE predictions (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
      sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
      scores TEXT NOT NULL,
      distributions TEXT NOT NULL,
      text TEXT,
      error_code TEXT,
      error_message TEXT,
      milliseconds REAL NOT NULL,
      PRIMARY KEY (run, sample)
    ) WITHOUT ROWID;
    """
}
