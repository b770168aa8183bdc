import GRDB
package import RocNames

/// Division schemes, their parts, and the lists that pictures are on.
extension DatasetWriter {
  /// Makes a part of a scheme hold exactly these samples.
  package func setMembers(_ scheme: String, _ part: String, _ samples: [Int64]) throws {
    try flushSamples()
    try db.execute(
      sql: "INSERT INTO split_schemes (dataset, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
      arguments: [dataset, scheme])
    let id =
      try Int64.fetchOne(
        db, sql: "SELECT id FROM split_schemes WHERE dataset = ? AND name = ?",
        arguments: [dataset, scheme]) ?? 0
    let stored = try Set(
      Int64.fetchAll(
        db, sql: "SELECT sample FROM split_members WHERE scheme = ? AND part = ?",
        arguments: [id, part]))
    if !stored.isEmpty {
      for sample in stored.subtracting(samples) {
        try db.cachedStatement(
          sql: "DELETE FROM split_members WHERE scheme = ? AND part = ? AND sample = ?"
        ).execute(arguments: [id, part, sample])
      }
    }
    // In the order of the table's key, rows are appended; in any other, pages are split. One
    // statement for all of them costs half as much as one for each.
    let added = (stored.isEmpty ? samples : samples.filter { !stored.contains($0) }).sorted()
    guard !added.isEmpty else { return }
    let insert = try bulk(
      """
      INSERT OR IGNORE INTO split_members (scheme, part, sample)
      SELECT ?, ?, value FROM json_each(?)
      """)
    insert.bind(id)
    insert.bind(part)
    insert.bind(VoteText.encode(added.map { Int($0) }))
    try insert.run()
  }

  /// Adds samples to a part of a scheme; those that earlier sources put there stay.
  ///
  /// - Returns: All samples of the part.
  package func addMembers(_ scheme: String, _ part: String, _ samples: [Int64]) throws -> [Int64] {
    let all = try members(scheme, part).union(samples).sorted()
    try setMembers(scheme, part, all)
    return all
  }

  /// The samples of a part; none where there is no such part.
  package func members(_ scheme: String, _ part: String) throws -> Set<Int64> {
    try flushSamples()
    return try Set(
      Int64.fetchAll(
        db,
        sql: """
          SELECT sample FROM split_members JOIN split_schemes ON split_schemes.id = scheme
          WHERE dataset = ? AND name = ? AND part = ?
          """, arguments: [dataset, scheme, part]))
  }

  /// The samples of all parts of a scheme.
  package func members(_ scheme: String) throws -> Set<Int64> {
    try SplitName.parts.reduce(into: []) { all, part in all.formUnion(try members(scheme, part)) }
  }

  /// Whether the dataset is divided at all.
  package func hasParts() throws -> Bool {
    try flushSamples()
    return try Bool.fetchOne(
      db,
      sql: """
        SELECT EXISTS (SELECT 1 FROM split_members
          JOIN split_schemes ON split_schemes.id = scheme WHERE dataset = ?)
        """, arguments: [dataset]) ?? false
  }

  /// The pictures that each rater rated, one list for each rater.
  package func picturesByRater() throws -> [[Int64]] {
    var rated: [Int64: [Int64]] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT DISTINCT rater, sample FROM ratings JOIN raters ON raters.id = rater
        WHERE raters.dataset = ?
        """, arguments: [dataset])
    while let row = try rows.next() { rated[row[0], default: []].append(row[1]) }
    return Array(rated.values)
  }

  /// Makes the default scheme one that the dataset has: `wanted`, else the first of `others`, else
  /// any; without schemes it stays what it is.
  package func chooseDefaultScheme(_ wanted: String, else others: [String]) throws {
    let known = try String.fetchAll(
      db,
      sql: """
        SELECT name FROM split_schemes WHERE dataset = ? AND EXISTS
          (SELECT 1 FROM split_members WHERE scheme = split_schemes.id) ORDER BY id
        """, arguments: [dataset])
    guard let chosen = ([wanted] + others).first(where: known.contains) ?? known.first else {
      return
    }
    try db.execute(
      sql: "UPDATE datasets SET default_scheme = ? WHERE id = ? AND default_scheme != ?",
      arguments: [chosen, dataset, chosen])
  }

  /// Makes a part of a division of the raters hold exactly these.
  package func setRaterMembers(_ scheme: String, _ part: String, _ names: [String]) throws {
    try db.execute(
      sql: "DELETE FROM rater_members WHERE dataset = ? AND scheme = ? AND part = ?",
      arguments: [dataset, scheme, part])
    let insert = try bulk(
      "INSERT OR IGNORE INTO rater_members (dataset, scheme, part, rater) VALUES (?, ?, ?, ?)")
    for name in names {
      insert.bind(dataset)
      insert.bind(scheme)
      insert.bind(part)
      insert.bind(name)
      try insert.run()
    }
  }

  /// The keys on the lists that were imported, by the lists' names.
  package func storedLists() throws -> [String: [ImageKey]] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT name, keys FROM lists WHERE dataset = ?", arguments: [dataset])
    return Dictionary(
      uniqueKeysWithValues: rows.map { row in
        (row["name"], ImageKey.lines(row["keys"]))
      })
  }

  /// Remembers the pictures on a list and how many of them have no label.
  package func setList(_ name: String, keys: [ImageKey], unlabelled: Int) throws {
    try db.execute(
      sql: """
        INSERT INTO lists (dataset, name, listed, unlabelled, keys) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (dataset, name) DO UPDATE SET listed = excluded.listed,
          unlabelled = excluded.unlabelled, keys = excluded.keys
        """,
      arguments: [dataset, name, keys.count, unlabelled, keys.map(\.text).joined(separator: "\n")])
  }
}
