package import GRDB
package import RocNames

/// Writes one dataset inside a transaction; what is already there and equal is left alone.
package final class DatasetWriter {
  let db: Database
  package let dataset: Int64
  /// What was stored before this transaction, by the path in the label file.
  private var stored: [ImageKey: StoredSample] = [:]
  private var statements: [String: BulkStatement] = [:]
  private var hasDroppedIndex = false
  private let newSamples: BulkInsert
  private let newVotes: BulkInsert
  private var nextRow: Int64
  /// Scores and votes of what this transaction added.
  private var addedScores: [Double] = []
  private var addedVotes: Int?

  private struct StoredSample {
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
    newSamples = BulkInsert(
      db, into: "samples",
      ["id", "dataset", "key", "path", "image_state", "gt_score", "extra"])
    newVotes = BulkInsert(db, into: "votes", ["sample", "counts", "total"])
    nextRow = try (Int64.fetchOne(db, sql: "SELECT max(id) FROM samples") ?? 0) + 1
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT samples.id, key, gt_score, extra, path, image_state, counts FROM samples
        LEFT JOIN votes ON votes.sample = samples.id WHERE dataset = ?
        """, arguments: [dataset])
    while let row = try rows.next() {
      let key: ImageKey = row["key"]
      stored[key] = StoredSample(
        id: row["id"], counts: row["counts"], score: row["gt_score"], extra: row["extra"],
        path: row["path"], state: row["image_state"])
    }
  }

  /// Gets ready for `count` pictures: sorting their keys once is quicker than an index that grows.
  ///
  /// `finish` must follow in the same transaction, before anything refers to the pictures.
  package func expect(_ count: Int) throws {
    guard isNew, count > 10_000,
      try count > Int.fetchOne(db, sql: "SELECT count(*) FROM samples") ?? 0
    else { return }
    try db.execute(sql: "DROP INDEX samples_by_key")
    hasDroppedIndex = true
  }

  /// Writes the pictures that are still gathered, so that other rows may refer to them.
  func flushSamples() throws {
    try newSamples.flush()
    try newVotes.flush()
  }

  /// Ends the import of pictures.
  package func finish() throws {
    try flushSamples()
    statements = [:]
    if hasDroppedIndex { try db.execute(sql: Migrations.keyIndex) }
    hasDroppedIndex = false
  }

  /// Whether the dataset held nothing before this transaction.
  var isNew: Bool { stored.isEmpty }

  /// A statement that is prepared once.
  func bulk(_ sql: String) throws -> BulkStatement {
    if let known = statements[sql] { return known }
    let statement = try BulkStatement(db, sql)
    statements[sql] = statement
    return statement
  }

  /// A picture with its texts already made, which several threads may do.
  package struct NewSample: Sendable {
    package let key: ImageKey
    let score: Double
    let counts: String?
    let total: Int
    let extra: String?

    /// - Parameters:
    ///   - key: The path in the label file.
    ///   - score: On the dataset's own scale.
    ///   - votes: Counts, when the dataset publishes them.
    ///   - extra: Further columns as a JSON object.
    package init(key: ImageKey, score: Double, votes: [Int]?, extra: String?) {
      self.key = key
      self.score = score
      counts = votes.map(VoteText.encode)
      total = votes?.reduce(0, +) ?? 0
      self.extra = extra
    }
  }

  /// Adds a picture or brings its row up to date.
  ///
  /// - Parameters:
  ///   - new: The picture; no key is given twice in one transaction.
  ///   - path: Where the picture is; nil when it was not found.
  ///   - looked: Whether anybody looked for the picture.
  /// - Returns: The row's id.
  /// - Throws: `StoreError` when another import stored other labels for this picture.
  package func addSample(_ new: NewSample, path: String?, looked: Bool) throws -> Int64 {
    let (key, score, counts, extra) = (new.key, new.score, new.counts, new.extra)
    if let old = stored[key] {
      let id = old.id
      // A file of scores says nothing of votes that another file brought.
      guard counts == nil || old.counts == nil || old.counts == counts, old.score == score else {
        throw StoreError(
          """
          \(key) is stored with other labels (\(old.counts ?? old.score.description)) than this \
          source has (\(counts ?? score.description)); if this source is right, import with \
          --replace
          """)
      }
      if old.counts == nil, let counts { try insertVotes(id, counts, new.total) }
      let isBack = old.state == "missing" && path != nil
      if looked,
        old.path.map({ ExactText($0) }) != path.map({ ExactText($0) }) || old.state == "unknown"
          || isBack
      {
        try db.cachedStatement(
          sql: """
            UPDATE samples SET path = ?, image_state = ?, image_reason = NULL, width = NULL,
              height = NULL, sha256 = NULL, format = NULL, perceptual_hash = NULL,
              image_flags = '' WHERE id = ?
            """
        ).execute(arguments: [path, path == nil ? "missing" : "found", id])
      }
      if old.extra.map({ ExactText($0) }) != extra.map({ ExactText($0) }) {
        try db.cachedStatement(sql: "UPDATE samples SET extra = ? WHERE id = ?")
          .execute(arguments: [extra, id])
      }
      return id
    }
    let id = nextRow
    nextRow += 1
    newSamples.add(id)
    newSamples.add(dataset)
    newSamples.add(key.text)
    newSamples.add(path)
    newSamples.add(!looked ? "unknown" : path == nil ? "missing" : "found")
    newSamples.add(score)
    newSamples.add(extra)
    try newSamples.endRow()
    addedScores.append(score)
    if let counts {
      // A vote's picture must be there before it.
      if newVotes.isAboutToRun { try newSamples.flush() }
      newVotes.add(id)
      newVotes.add(counts)
      newVotes.add(Int64(new.total))
      try newVotes.endRow()
      addedVotes = (addedVotes ?? 0) + new.total
    }
    return id
  }

  private func insertVotes(_ row: Int64, _ counts: String, _ total: Int) throws {
    try db.cachedStatement(sql: "INSERT INTO votes (sample, counts, total) VALUES (?, ?, ?)")
      .execute(arguments: [row, counts, total])
  }

  /// Adds votes to a picture that was stored without them.
  ///
  /// - Throws: `StoreError` when it is stored with others.
  package func setVotes(of key: ImageKey, _ votes: [Int]) throws {
    guard let old = stored[key] else { return }
    let counts = VoteText.encode(votes)
    guard let known = old.counts else {
      return try insertVotes(old.id, counts, votes.reduce(0, +))
    }
    guard known == counts else {
      throw StoreError(
        """
        \(key) is stored with the votes \(known), this source has \(counts); if this source is \
        right, import with --replace
        """)
    }
  }

  /// Replaces what is kept of a stored picture besides its labels, a JSON object.
  package func setExtra(_ row: Int64, _ extra: String) throws {
    try db.cachedStatement(sql: "UPDATE samples SET extra = ? WHERE id = ?")
      .execute(arguments: [extra, row])
  }

  /// All scores in the order of the import, and all votes; nil where there are none.
  package func totals() throws -> (scores: [Double], votes: Int?) {
    if isNew { return (addedScores, addedVotes) }
    // Both tables in the order of their rows: through the index on keys it would take a second.
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT gt_score, total FROM samples NOT INDEXED
        LEFT JOIN votes ON votes.sample = samples.id WHERE dataset = ? ORDER BY samples.id
        """, arguments: [dataset])
    var scores: [Double] = []
    var votes: Int?
    while let row = try rows.next() {
      scores.append(row[0])
      if let total: Int = row[1] { votes = (votes ?? 0) + total }
    }
    return (scores, votes)
  }

  /// The counts of a picture that were stored before this transaction.
  package func votes(of key: ImageKey) -> [Int]? {
    stored[key]?.counts.map(VoteText.decode)
  }

  /// A picture that was stored before this transaction.
  package struct Stored {
    package let key: ImageKey
    package let row: Int64
    package let score: Double
    /// Further columns as a JSON object.
    package let extra: String?
  }

  /// All pictures as they are stored now, in the order of their rows.
  package func all(withExtra: Bool) throws -> [Stored] {
    try flushSamples()
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT id, key, gt_score, \(withExtra ? "extra" : "NULL") FROM samples NOT INDEXED
        WHERE dataset = ? ORDER BY id
        """, arguments: [dataset])
    var result: [Stored] = []
    while let row = try rows.next() {
      result.append(Stored(key: row[1], row: row[0], score: row[2], extra: row[3]))
    }
    return result
  }

  /// Attributes that were stored before this transaction, by picture.
  package func knownAttributes() throws -> [Int64: [ExactText: Double]] {
    guard !isNew else { return [:] }
    var result: [Int64: [ExactText: Double]] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT sample, name, value FROM attributes JOIN samples ON samples.id = sample
        WHERE dataset = ?
        """, arguments: [dataset])
    while let row = try rows.next() {
      let name: String = row[1]
      result[row[0], default: [:]][ExactText(name)] = row[2]
    }
    return result
  }

  /// The pictures that were stored before this transaction, in no order.
  package var before: [Stored] {
    stored.map {
      Stored(
        key: $0.key, row: $0.value.id, score: $0.value.score, extra: $0.value.extra)
    }
  }

  /// Finds or makes the dataset's row.
  ///
  /// - Parameters:
  ///   - record: From the manifest.
  ///   - replace: Removes the dataset first, its runs included.
  ///   - keepsScheme: Leaves the default scheme as it is stored.
  ///   - db: Inside a transaction.
  /// - Returns: A writer that knows what is stored.
  /// - Throws: `StoreError` when the stored labels have another copy, scale or direction; the
  ///   database's error.
  package static func open(
    _ record: DatasetRecord, replace: Bool, keepsScheme: Bool = false, _ db: Database
  ) throws -> DatasetWriter {
    var record = record
    if replace, try DatasetRecord.named(record.name, db) != nil {
      try DatasetRecord.delete(record.name, db)
    }
    if let stored = try DatasetRecord.named(record.name, db), stored.variant != record.variant {
      throw StoreError(
        """
        \(record.name) is stored from \(stored.variant ?? "the original labels"), this source has \
        \(record.variant ?? "the original labels"); they are never mixed: use another database or \
        --name, or import with --replace
        """)
    }
    if let stored = try DatasetRecord.named(record.name, db), stored.range != record.range {
      throw StoreError(
        """
        \(record.name) is stored on the scale \(stored.range), this source is on \(record.range); \
        store it under another --name, state one scale with --min-score and --max-score, or import \
        with --replace
        """)
    }
    if let stored = try DatasetRecord.named(record.name, db),
      stored.higherIsBetter != record.higherIsBetter
    {
      throw StoreError(
        """
        \(record.name) is stored as \(stored.higherIsBetter ? "higher" : "lower") is better, this import \
        takes \(record.higherIsBetter ? "higher" : "lower") for better (--lower-is-better); store it \
        under another --name, or import with --replace
        """)
    }
    if keepsScheme, let stored = try DatasetRecord.named(record.name, db) {
      record.defaultScheme = stored.defaultScheme
    }
    return try DatasetWriter(db, dataset: try record.save(db))
  }
}
