package import GRDB

/// Writes one dataset inside a transaction; what is already there and equal is left alone.
package final class DatasetWriter {
  private let db: Database
  package let dataset: Int64
  private var known: [String: KnownSample] = [:]

  private struct KnownSample {
    let id: Int64
    let counts: String?
    let score: Double
    let extra: String?
    let path: String?
    let state: String
  }

  package init(_ db: Database, dataset: Int64) throws {
    self.db = db
    self.dataset = dataset
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT samples.id, key, gt_score, extra, path, image_state, counts FROM samples
        LEFT JOIN votes ON votes.sample = samples.id WHERE dataset = ?
        """, arguments: [dataset])
    while let row = try rows.next() {
      known[row["key"]] = KnownSample(
        id: row["id"], counts: row["counts"], score: row["gt_score"], extra: row["extra"],
        path: row["path"], state: row["image_state"])
    }
  }

  /// Adds a picture or brings its row up to date.
  ///
  /// - Parameters:
  ///   - key: The path in the label file.
  ///   - score: On the dataset's own scale.
  ///   - votes: Counts, when the dataset publishes them.
  ///   - extra: Further columns as a JSON object.
  ///   - path: Where the picture is; nil when it was not found.
  ///   - looked: Whether anybody looked for the picture.
  /// - Returns: The row's id.
  /// - Throws: `StoreError` when another import stored other labels for this picture.
  package func addSample(
    key: String, score: Double, votes: [Int]?, extra: String?, path: String?, looked: Bool
  ) throws -> Int64 {
    let counts = votes.map(VoteText.encode)
    if let old = known[key] {
      guard old.counts == counts, old.score == score else {
        throw StoreError(
          """
          \(key) is stored with other labels (\(old.counts ?? old.score.description)) than this \
          source has (\(counts ?? score.description)); if this source is right, import with \
          --replace
          """)
      }
      let isBack = old.state == "missing" && path != nil
      if looked, old.path != path || old.state == "unknown" || isBack {
        try db.cachedStatement(
          sql: """
            UPDATE samples SET path = ?, image_state = ?, image_reason = NULL, width = NULL,
              height = NULL, sha256 = NULL WHERE id = ?
            """
        ).execute(arguments: [path, path == nil ? "missing" : "found", old.id])
      }
      if old.extra != extra {
        try db.cachedStatement(sql: "UPDATE samples SET extra = ? WHERE id = ?")
          .execute(arguments: [extra, old.id])
      }
      return old.id
    }
    let state = !looked ? "unknown" : path == nil ? "missing" : "found"
    let baseName = key.split(separator: "/").last.map(String.init) ?? key
    try db.cachedStatement(
      sql: """
        INSERT INTO samples (dataset, key, base_name, path, image_state, gt_score, extra)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [dataset, key, baseName, path, state, score, extra])
    let id = db.lastInsertedRowID
    if let votes, let counts {
      try db.cachedStatement(sql: "INSERT INTO votes (sample, counts, total) VALUES (?, ?, ?)")
        .execute(arguments: [id, counts, votes.reduce(0, +)])
    }
    known[key] = KnownSample(
      id: id, counts: counts, score: score, extra: extra, path: path, state: state)
    return id
  }

  /// Makes a part of a scheme hold exactly these samples.
  package func setMembers(_ scheme: String, _ part: String, _ samples: [Int64]) throws {
    try db.execute(
      sql: "INSERT INTO split_schemes (dataset, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
      arguments: [dataset, scheme])
    let id = try Int64.fetchOne(
      db, sql: "SELECT id FROM split_schemes WHERE dataset = ? AND name = ?",
      arguments: [dataset, scheme])
    let stored = try Set(
      Int64.fetchAll(
        db, sql: "SELECT sample FROM split_members WHERE scheme = ? AND part = ?",
        arguments: [id, part]))
    let wanted = Set(samples)
    for sample in stored.subtracting(wanted) {
      try db.cachedStatement(
        sql: "DELETE FROM split_members WHERE scheme = ? AND part = ? AND sample = ?"
      ).execute(arguments: [id, part, sample])
    }
    let insert = try db.cachedStatement(
      sql: "INSERT INTO split_members (scheme, part, sample) VALUES (?, ?, ?)")
    for sample in samples where !stored.contains(sample) {
      try insert.execute(arguments: [id, part, sample])
    }
  }

  /// Remembers the pictures on a list and how many of them have no label.
  package func setList(_ name: String, keys: [String], unlabelled: Int) throws {
    try db.execute(
      sql: """
        INSERT INTO lists (dataset, name, listed, unlabelled, keys) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (dataset, name) DO UPDATE SET listed = excluded.listed,
          unlabelled = excluded.unlabelled, keys = excluded.keys
        """,
      arguments: [dataset, name, keys.count, unlabelled, keys.joined(separator: "\n")])
  }

  /// The rows of all pictures by their path in the label file.
  package var samples: [String: Int64] { known.mapValues(\.id) }

  /// All scores in the order of the import, and all votes; nil where there are none.
  package func totals() throws -> (scores: [Double], votes: Int?) {
    let scores = try Double.fetchAll(
      db, sql: "SELECT gt_score FROM samples WHERE dataset = ? ORDER BY id",
      arguments: [dataset])
    let votes = try Int.fetchOne(
      db,
      sql: """
        SELECT sum(total) FROM votes JOIN samples ON samples.id = votes.sample WHERE dataset = ?
        """, arguments: [dataset])
    return (scores, votes)
  }

  /// The stored counts of a picture.
  package func votes(of key: String) -> [Int]? { known[key]?.counts.map(VoteText.decode) }

  package func setVocabulary(_ kind: String, _ names: [(number: Int, name: String)]) throws {
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO vocabularies (dataset, kind, number, name) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET name = excluded.name
        """)
    for (number, name) in names {
      try insert.execute(arguments: [dataset, kind, number, name])
    }
  }

  package func setAttribute(_ sample: Int64, _ name: String, _ value: Double) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO attributes (sample, name, value) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value
        """
    ).execute(arguments: [sample, name, value])
  }

  /// Replaces the lines of these files that were set aside; other sources' lines stay.
  package func setQuarantine(
    of files: [String], _ lines: [(file: String, line: Int, reason: String, content: String)]
  ) throws {
    let delete = try db.cachedStatement(
      sql: "DELETE FROM quarantine WHERE dataset = ? AND file = ?")
    for file in files { try delete.execute(arguments: [dataset, file]) }
    let insert = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO quarantine (dataset, file, line, reason, content)
        VALUES (?, ?, ?, ?, ?)
        """)
    for line in lines {
      try insert.execute(arguments: [dataset, line.file, line.line, line.reason, line.content])
    }
  }

  /// Finds or makes the dataset's row.
  ///
  /// - Parameters:
  ///   - record: From the manifest.
  ///   - replace: Removes the dataset first, its runs included.
  ///   - db: Inside a transaction.
  /// - Returns: A writer that knows what is stored.
  /// - Throws: The database's error.
  package static func open(
    _ record: DatasetRecord, replace: Bool, _ db: Database
  ) throws -> DatasetWriter {
    if replace {
      try db.execute(sql: "DELETE FROM datasets WHERE name = ?", arguments: [record.name])
    }
    return try DatasetWriter(db, dataset: try record.save(db))
  }
}
