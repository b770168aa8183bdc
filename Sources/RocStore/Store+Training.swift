import GRDB

/// What checkpoints have been trained on.
extension Store {
  /// The parts that a checkpoint is known to have been trained on.
  package func trainingParts(
    of checkpoint: String
  ) throws -> [(dataset: String, split: SplitName)] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT dataset, scheme, part FROM training_parts WHERE checkpoint_sha256 = ?
          ORDER BY 1, 2, 3
          """, arguments: [checkpoint]
      ).map { ($0["dataset"], SplitName(scheme: $0["scheme"], part: $0["part"])) }
    }
  }

  /// Remembers what a checkpoint was trained on.
  package func addTrainingPart(
    of checkpoint: String, dataset: String, split: SplitName
  ) throws {
    try write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO training_parts VALUES (?, ?, ?, ?)",
        arguments: [checkpoint, dataset, split.scheme, split.part])
    }
  }
}
