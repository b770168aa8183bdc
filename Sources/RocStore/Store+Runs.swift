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

  /// All runs with their dataset's name and how many pictures they scored and failed on.
  package func runs() throws -> [(
    run: RunRecord, dataset: String, started: String, scored: Int, failed: Int
  )] {
    try read { try RunRecord.all($0) }
  }
}
