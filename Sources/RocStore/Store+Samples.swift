import GRDB
package import RocNames

/// What is known about the pictures of a dataset, one snapshot per call.
extension Store {
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
}
