import GRDB
package import RocNames

/// Runs and their predictions, one snapshot per call.
extension Store {
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

  /// The rows of the pictures that a run has a score for, sorted, and when the last of its answers
  /// was written, in seconds since 1970.
  package func scoredSamples(run: Int64) throws -> (samples: [Int64], newest: Double) {
    try read { db in
      let rows = try RowReader(
        db,
        """
        SELECT sample, written_at, error_code IS NULL FROM predictions
        WHERE run = CAST(? AS INTEGER) ORDER BY sample
        """, [String(run)])
      var samples: [Int64] = []
      var newest = 0.0
      while try rows.next() {
        newest = max(newest, rows.real(1))
        if rows.integer(2) != 0 { samples.append(rows.integer(0)) }
      }
      return (samples, newest)
    }
  }

  /// How far a run is, and whether somebody is working on it.
  package struct RunProgress: Sendable, Equatable {
    package let scored: Int
    package let failed: Int
    /// Pictures that somebody holds at the moment.
    package let held: Int
    /// Pictures of the last minute, a second.
    package let pace: Double
  }

  /// Whether somebody holds pictures of a run at the moment.
  package func isBeingScored(run: Int64) throws -> Bool {
    try read { db in
      try Bool.fetchOne(
        db, sql: "SELECT count(*) > 0 FROM leases WHERE run = ? AND until > ?",
        arguments: [run, Self.now]) ?? false
    }
  }

  /// How far a run is at the moment.
  package func progress(run: Int64) throws -> RunProgress {
    try read { db in
      let counts = try Row.fetchOne(
        db,
        sql: """
          SELECT count(*) AS n, count(error_code) AS failed,
            count(CASE WHEN written_at > ? THEN 1 END) AS latest,
            min(CASE WHEN written_at > ? THEN written_at END) AS since
          FROM predictions WHERE run = ?
          """, arguments: [Self.now - 60, Self.now - 60, run])
      let held = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM leases WHERE run = ? AND until > ?",
        arguments: [run, Self.now])
      let (all, failed): (Int, Int) = (counts?["n"] ?? 0, counts?["failed"] ?? 0)
      let (latest, since): (Int, Double?) = (counts?["latest"] ?? 0, counts?["since"])
      let seconds = since.map { max(Self.now - $0, 1) } ?? 1
      return RunProgress(
        scored: all - failed, failed: failed, held: held ?? 0, pace: Double(latest) / seconds)
    }
  }

  /// Finds or adds a run.
  package func findOrInsert(_ run: RunRecord) throws -> Int64 {
    try write { try run.findOrInsert($0) }
  }

  /// Stores predictions in one transaction; those that failed before are replaced and, with
  /// `replaces`, all others, too.
  package func save(
    _ predictions: [PredictionRecord], run: Int64, replaces: Bool = false
  ) throws {
    try write { db in
      for prediction in predictions { try prediction.save(db, run: run, replaces: replaces) }
    }
  }

  /// All runs, without counting anything.
  package func runRecords() throws -> [RunRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM runs ORDER BY id").map(RunRecord.init(row:))
    }
  }

  /// All runs with their dataset's name and how many pictures they scored and failed on.
  package func runs() throws -> [(
    run: RunRecord, dataset: String, started: String, scored: Int, failed: Int
  )] {
    try read { try RunRecord.all($0) }
  }
}
