import GRDB
package import RocNames

/// What belongs to a dataset besides its pictures.
extension DatasetWriter {
  package func setVocabulary(_ kind: String, _ names: [(number: Int, name: String)]) throws {
    let insert = try bulk(
      """
      INSERT INTO vocabularies (dataset, kind, number, name) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET name = excluded.name
      """)
    for (number, name) in names {
      insert.bind(dataset)
      insert.bind(kind)
      insert.bind(number)
      insert.bind(name)
      try insert.run()
    }
  }

  package func setAttribute(_ sample: Int64, _ name: String, _ value: Double) throws {
    try flushSamples()
    let insert = try bulk(
      """
      INSERT INTO attributes (sample, name, value) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value
      """)
    insert.bind(sample)
    insert.bind(name)
    insert.bind(value)
    try insert.run()
  }

  /// Stores the votes for one of a picture's attributes.
  package func setAttributeVotes(_ sample: Int64, _ name: String, _ counts: [Int]) throws {
    try flushSamples()
    let insert = try bulk(
      """
      INSERT INTO attribute_votes (sample, name, counts) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET counts = excluded.counts
      """)
    insert.bind(sample)
    insert.bind(name)
    insert.bind(VoteText.encode(counts))
    try insert.run()
  }

  /// Finds or adds a rater.
  ///
  /// - Parameters:
  ///   - name: As the label files call them.
  ///   - extra: What is known about them as a JSON object; nil leaves what is stored.
  /// - Returns: The row's id.
  /// - Throws: The database's error.
  package func rater(_ name: String, extra: String?) throws -> Int64 {
    try db.cachedStatement(
      sql: """
        INSERT INTO raters (dataset, name, extra) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET extra = coalesce(excluded.extra, extra)
        """
    ).execute(arguments: [dataset, name, extra])
    return try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM raters WHERE dataset = ? AND name = ?"),
      arguments: [dataset, name]) ?? 0
  }

  /// Stores one rating; `position` counts those of the same rater for the same picture.
  package func setRating(
    _ sample: Int64, rater: Int64, position: Int, score: Double, extra: String?
  ) throws {
    try flushSamples()
    let insert = try bulk(
      """
      INSERT INTO ratings (sample, rater, position, score, extra) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET score = excluded.score, extra = excluded.extra
      """)
    insert.bind(sample)
    insert.bind(rater)
    insert.bind(position)
    insert.bind(score)
    insert.bind(extra)
    try insert.run()
  }

  /// Stores one comment of a source whose comments come in any order.
  package func addComment(
    _ sample: Int64, source: String, position: Int, _ text: String
  ) throws {
    try flushSamples()
    let insert = try bulk(
      """
      INSERT INTO comments (sample, source, position, text) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET text = excluded.text
      """)
    insert.bind(sample)
    insert.bind(source)
    insert.bind(position)
    insert.bind(text)
    try insert.run()
  }

  /// Makes a picture have exactly these comments from one source.
  package func setComments(
    _ sample: Int64, source: String, _ comments: [(text: String, clean: String?)]
  ) throws {
    try flushSamples()
    if !isNew {
      let stored = try Row.fetchAll(
        db.cachedStatement(
          sql: """
            SELECT text, clean FROM comments WHERE sample = ? AND source = ? ORDER BY position
            """), arguments: [sample, source])
      let isSame =
        stored.count == comments.count
        && zip(stored, comments).allSatisfy { row, comment in
          (row["text"] as String).isExactly(comment.text)
            && (row["clean"] as String?).map { ExactText($0) }
              == comment.clean.map { ExactText($0) }
        }
      if isSame { return }
      try db.cachedStatement(sql: "DELETE FROM comments WHERE sample = ? AND source = ?")
        .execute(arguments: [sample, source])
    }
    let insert = try bulk(
      """
      INSERT OR REPLACE INTO comments (sample, source, position, text, clean)
      VALUES (?, ?, ?, ?, ?)
      """)
    for (position, comment) in comments.enumerated() {
      insert.bind(sample)
      insert.bind(source)
      insert.bind(position)
      insert.bind(comment.text)
      insert.bind(comment.clean)
      try insert.run()
    }
  }

  /// Replaces what was set aside of these files; other sources' lines stay.
  package func setQuarantine(of files: [String], _ lines: [SetAsideLine]) throws {
    let delete = try db.cachedStatement(
      sql: "DELETE FROM quarantine WHERE dataset = ? AND file = ?")
    for file in files { try delete.execute(arguments: [dataset, file]) }
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO quarantine (dataset, file, line, record, reason, content)
        VALUES (?, ?, ?, ?, ?, ?)
        """)
    for line in lines {
      try insert.execute(
        arguments: [dataset, line.file, line.line, line.record, line.reason, line.content])
    }
  }
}
