import GRDB
package import RocNames

/// What commands ask of the database, one snapshot a call.
extension Store {
  /// All datasets with the sizes of their splits and how many pictures they hold.
  package func datasets() throws -> [(
    record: DatasetRecord, images: Int, splits: [(name: SplitName, count: Int)]
  )] {
    try read { db in
      try DatasetRecord.all(db).map { record in
        (record, try record.imageCount(db), try SplitName.counts(record, db))
      }
    }
  }

  /// The dataset of that name, or the only one when `name` is nil.
  ///
  /// - Throws: `StoreError` that lists the datasets there are.
  package func dataset(_ name: String?) throws -> DatasetRecord {
    let all = try read { try DatasetRecord.all($0) }
    let list = all.map(\.name).joined(separator: ", ")
    if let name {
      guard let found = all.first(where: { $0.name.isExactly(name) }) else {
        throw StoreError(
          "\(path): no dataset \(name); it holds \(list.isEmpty ? "none" : list)",
          isMissing: true)
      }
      return found
    }
    guard let only = all.first else {
      throw StoreError("\(path): holds no dataset; import one first", isMissing: true)
    }
    guard all.count == 1 else {
      throw StoreError("\(path): holds several datasets (\(list)); choose one with --dataset")
    }
    return only
  }

  /// The samples of a dataset, or of the split that `split` names.
  package func samples(
    _ dataset: DatasetRecord, split: String? = nil
  ) throws -> (split: SplitName?, samples: [SampleRecord]) {
    try read { db in
      let name = try split.map { try SplitName.resolve($0, in: dataset, db) }
      return (name, try SampleRecord.fetch(db, dataset: dataset.id ?? 0, split: name))
    }
  }

  /// All scores of records that were imported with several, by sample.
  package func scoreLists(of dataset: DatasetRecord) throws -> [Int64: [Double]] {
    let names = try attributeNames(of: dataset).map(\.name).filter { $0.hasPrefix("gt_score[") }
    guard !names.isEmpty else { return [:] }
    return try attributes(names, of: dataset).mapValues { values in
      (0..<values.count).compactMap { values["gt_score[\($0)]"] }
    }
  }

  /// The stored predictions of a run.
  package func predictions(run: Int64) throws -> [Int64: PredictionRecord] {
    try read { try PredictionRecord.of(run: run, $0) }
  }

  /// A stored run with its dataset.
  ///
  /// - Throws: `StoreError` that lists the runs there are.
  package func run(_ id: Int64) throws -> (run: RunRecord, dataset: DatasetRecord) {
    let all = try runs()
    guard let found = all.first(where: { $0.run.id == id }) else {
      let list = all.map { "\($0.run.id ?? 0)" }.joined(separator: ", ")
      throw StoreError(
        "\(path): no run \(id); it holds \(list.isEmpty ? "none" : list)", isMissing: true)
    }
    return (found.run, try dataset(found.dataset))
  }

  /// Finds or adds a run.
  package func findOrInsert(_ run: RunRecord) throws -> Int64 {
    try write { try run.findOrInsert($0) }
  }

  /// Stores predictions in one transaction; those that failed before are replaced, and with
  /// `replaces` any.
  package func save(
    _ predictions: [PredictionRecord], run: Int64, replaces: Bool = false
  ) throws {
    try write { db in
      for prediction in predictions { try prediction.save(db, run: run, replaces: replaces) }
    }
  }

  /// All runs with their dataset's name and how many pictures they scored and failed.
  package func runs() throws -> [(
    run: RunRecord, dataset: String, started: String, scored: Int, failed: Int
  )] {
    try read { try RunRecord.all($0) }
  }
}

extension Store {
  /// The attributes of one picture by name.
  package func attributes(of key: ImageKey, in dataset: DatasetRecord) throws -> [String: Double] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT attributes.name, value FROM attributes
          JOIN samples ON samples.id = attributes.sample WHERE dataset = ? AND key = ?
          """, arguments: [dataset.id, key])
      return Dictionary(
        rows.map { ($0["name"], $0["value"]) }, uniquingKeysWith: { first, _ in first })
    }
  }

  /// The values of some attributes by sample.
  package func attributes(
    _ names: [String], of dataset: DatasetRecord
  ) throws -> [Int64: [ExactText: Double]] {
    try read { db in
      var result: [Int64: [ExactText: Double]] = [:]
      for name in names {
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT sample, value FROM attributes JOIN samples ON samples.id = sample
            WHERE dataset = ? AND name = ?
            """, arguments: [dataset.id, name])
        while let row = try rows.next() { result[row["sample"], default: [:]][name] = row["value"] }
      }
      return result
    }
  }

  /// The votes for attributes, by sample.
  package func attributeVotes(
    _ names: [String], of dataset: DatasetRecord
  ) throws -> [Int64: [ExactText: [Int]]] {
    try read { db in
      var result: [Int64: [ExactText: [Int]]] = [:]
      for name in names {
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT sample, counts FROM attribute_votes JOIN samples ON samples.id = sample
            WHERE dataset = ? AND name = ?
            """, arguments: [dataset.id, name])
        while let row = try rows.next() {
          result[row["sample"], default: [:]][name] = VoteText.decode(row["counts"] as String)
        }
      }
      return result
    }
  }

  /// Further columns of each picture as JSON objects, and the names of numbered things by kind.
  package func extras(
    of dataset: DatasetRecord
  ) throws -> (extras: [Int64: String], vocabularies: [String: [Int: String]]) {
    try read { db in
      var extras: [Int64: String] = [:]
      let rows = try RowReader(
        db, "SELECT id, extra FROM samples NOT INDEXED WHERE dataset = CAST(? AS INTEGER)",
        [String(dataset.id ?? 0)])
      while try rows.next() {
        if let text = rows.text(1) { extras[rows.integer(0)] = text }
      }
      var names: [String: [Int: String]] = [:]
      for row in try Row.fetchAll(
        db, sql: "SELECT kind, number, name FROM vocabularies WHERE dataset = ?",
        arguments: [dataset.id])
      {
        names[row["kind"], default: [:]][row["number"]] = row["name"]
      }
      return (extras, names)
    }
  }

  /// The names of a dataset's attributes with how many pictures have each.
  package func attributeNames(of dataset: DatasetRecord) throws -> [(name: String, count: Int)] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT attributes.name, count(*) AS n FROM attributes
          JOIN samples ON samples.id = sample WHERE dataset = ? GROUP BY 1 ORDER BY 1
          """, arguments: [dataset.id]
      ).map { ($0["name"], $0["n"]) }
    }
  }

  /// The comments of all pictures, by sample in their order, from one source.
  package func comments(
    of dataset: DatasetRecord, source: String
  ) throws -> [Int64: [String]] {
    try read { db in
      var result: [Int64: [String]] = [:]
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT sample, text FROM comments JOIN samples ON samples.id = sample
          WHERE dataset = ? AND source = ? ORDER BY sample, position
          """, arguments: [dataset.id, source])
      while let row = try rows.next() { result[row["sample"], default: []].append(row["text"]) }
      return result
    }
  }

  /// Where comments come from, with how many there are.
  package func commentSources(
    of dataset: DatasetRecord
  ) throws -> [(source: String, count: Int)] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT source, count(*) AS n FROM comments JOIN samples ON samples.id = sample
          WHERE dataset = ? GROUP BY 1 ORDER BY 2 DESC, 1
          """, arguments: [dataset.id]
      ).map { ($0["source"], $0["n"]) }
    }
  }

  /// Remembers lines of files that were not part of an import's own transaction.
  package func quarantine(_ lines: [SkippedLine], of dataset: String) throws {
    guard !lines.isEmpty else { return }
    try write { db in
      guard let record = try DatasetRecord.named(dataset, db) else { return }
      let writer = try DatasetWriter.open(record, replace: false, db)
      try writer.setQuarantine(of: Set(names: lines.map(\.file)).map(\.text), lines)
    }
  }

  /// What was set aside, in the order of the files.
  package func quarantine(of dataset: DatasetRecord) throws -> [SkippedLine] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT file, line, record, reason, content FROM quarantine WHERE dataset = ?
          ORDER BY file, line, record, id
          """, arguments: [dataset.id]
      ).map {
        SkippedLine(
          file: $0["file"], line: $0["line"], record: $0["record"], reason: $0["reason"],
          content: $0["content"])
      }
    }
  }
}
