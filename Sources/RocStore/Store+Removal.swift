import GRDB
import RocNames

/// What goes when a dataset or a run goes.
extension Store {
  /// What a dataset holds, by kind; kinds of which there is nothing are left out.
  package func holdings(of dataset: DatasetRecord) throws -> [(what: String, count: Int)] {
    let samples = "JOIN samples ON samples.id = sample WHERE dataset = ?"
    let queries = [
      ("pictures", "SELECT count(*) FROM samples WHERE dataset = ?"),
      ("pictures with votes", "SELECT count(*) FROM votes \(samples)"),
      ("attribute values", "SELECT count(*) FROM attributes \(samples)"),
      ("votes for attributes", "SELECT count(*) FROM attribute_votes \(samples)"),
      ("comments", "SELECT count(*) FROM comments \(samples)"),
      ("ratings", "SELECT count(*) FROM ratings \(samples)"),
      ("raters", "SELECT count(*) FROM raters WHERE dataset = ?"),
      ("split schemes", "SELECT count(*) FROM split_schemes WHERE dataset = ?"),
      ("imported lists", "SELECT count(*) FROM lists WHERE dataset = ?"),
      ("lines set aside", "SELECT count(*) FROM quarantine WHERE dataset = ?"),
      (
        "facts about pictures without labels",
        "SELECT count(*) FROM waiting WHERE dataset = ?"
      ),
      ("names of tags and the like", "SELECT count(*) FROM vocabularies WHERE dataset = ?"),
      ("raters in divisions", "SELECT count(*) FROM rater_members WHERE dataset = ?"),
      ("runs", "SELECT count(*) FROM runs WHERE dataset = ?"),
      (
        "predictions",
        "SELECT count(*) FROM predictions JOIN runs ON runs.id = run WHERE dataset = ?"
      ),
    ]
    return try read { db in
      try queries.compactMap { what, sql in
        let count = try Int.fetchOne(db, sql: sql, arguments: [dataset.id]) ?? 0
        return count > 0 ? (what, count) : nil
      }
    }
  }

  /// Removes a dataset with everything that belongs to it, its runs included.
  ///
  /// - Throws: `StoreError` while somebody is scoring one of its runs.
  package func remove(_ dataset: DatasetRecord) throws {
    try write { db in
      let runs = try Int64.fetchAll(
        db, sql: "SELECT id FROM runs WHERE dataset = ?", arguments: [dataset.id])
      try Self.refuse(runs, db)
      try DatasetRecord.delete(dataset.name, db)
    }
    shrink()
  }

  /// Removes runs with their predictions.
  ///
  /// - Throws: `StoreError` while somebody is scoring one of them.
  package func remove(runs: [Int64]) throws {
    try write { db in
      try Self.refuse(runs, db)
      for run in runs { try db.execute(sql: "DELETE FROM runs WHERE id = ?", arguments: [run]) }
    }
    shrink()
  }

  private static func refuse(_ runs: [Int64], _ db: Database) throws {
    for run in runs {
      let isLeased =
        try Bool.fetchOne(
          db, sql: "SELECT EXISTS (SELECT 1 FROM leases WHERE run = ? AND until >= ?)",
          arguments: [run, now]) ?? false
      guard !isLeased else {
        throw StoreError("run \(run) is being scored; stop that first", isBusy: true)
      }
    }
  }

  /// Gives a dataset another name, which becomes its title, too.
  ///
  /// - Throws: `StoreError` when there is a dataset of that name.
  package func rename(_ dataset: DatasetRecord, to name: String) throws {
    try write { db in
      guard try DatasetRecord.named(name, db) == nil else {
        throw StoreError("there is a dataset \(name) already; choose another name, or remove it")
      }
      let title = dataset.isMadeUp ? "\(name) (made up)" : name
      try db.execute(
        sql: "UPDATE datasets SET name = ?, title = ? WHERE id = ?",
        arguments: [name, title, dataset.id])
      try db.execute(
        sql: "UPDATE OR IGNORE training_parts SET dataset = ? WHERE dataset = ?",
        arguments: [name, dataset.name])
      // What is left is there already under the new name.
      try db.execute(
        sql: "DELETE FROM training_parts WHERE dataset = ?", arguments: [dataset.name])
    }
  }

  /// How many raters and single ratings there are, and how many raters each part of a division has.
  package func raterCounts(
    of dataset: DatasetRecord
  ) throws -> (raters: Int, ratings: Int, parts: [(scheme: String, part: String, count: Int)]) {
    try read { db in
      let raters = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM raters WHERE dataset = ?", arguments: [dataset.id])
      let ratings = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM ratings JOIN raters ON raters.id = rater WHERE dataset = ?",
        arguments: [dataset.id])
      let parts = try Row.fetchAll(
        db,
        sql: """
          SELECT scheme, part, count(*) AS n FROM rater_members WHERE dataset = ?
          GROUP BY scheme, part
          ORDER BY scheme, CASE part WHEN 'train' THEN 0 WHEN 'val' THEN 1 ELSE 2 END
          """, arguments: [dataset.id])
      return (raters ?? 0, ratings ?? 0, parts.map { ($0["scheme"], $0["part"], $0["n"]) })
    }
  }
}

extension DatasetRecord {
  /// Deletes a dataset with everything that refers to it.
  ///
  /// The keys of three tables begin with something other than the picture: each picture that goes
  /// would be looked for in all of their rows. An index that lasts only that long costs a moment.
  static func delete(_ name: String, _ db: Database) throws {
    let tables = ["split_members", "predictions", "leases"]
    for table in tables {
      try db.execute(sql: "CREATE INDEX \(table)_by_sample ON \(table) (sample)")
    }
    try db.execute(sql: "DELETE FROM datasets WHERE name = ?", arguments: [name])
    for table in tables { try db.execute(sql: "DROP INDEX \(table)_by_sample") }
  }
}
