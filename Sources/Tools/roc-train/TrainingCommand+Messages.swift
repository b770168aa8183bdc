import RocCheckpoint
import RocData
import RocMetrics
import RocNames
import RocScore
import RocStore
import RocTool
import RocTrain

/// What the user reads, and what is remembered, about a training run.
extension TrainingCommand {
  /// Keeps in the database what the new checkpoint was trained on.
  func remember(_ store: Store?) {
    guard let dataset = data.dataset, let split = data.split else { return }
    do {
      guard let store else { throw StoreError("\(data.database.path) cannot be written") }
      try store.remember(training: output.outputDir, on: dataset, split: split)
    } catch {
      Console.note(
        """
        Warning: \(error); roc-eval table will not know that this model has seen \(dataset) \(split)
        """)
    }
  }

  /// The settings in effect, which the flags alone do not show.
  static func line(_ settings: TrainingSettings) -> String {
    let weights = settings.weights
    return """
      loss: text + \(weights.l1) l1 + \(weights.ce) ce + \(weights.emd) emd; learning rate \
      \(settings.learningRate), \(settings.schedule.rawValue), batches of \
      \(settings.batchSize * settings.accumulation)
      """
  }

  static func line(_ evaluation: Evaluation) -> String {
    func text(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "-" }
    let interval = evaluation.interval.map { " (95 %: \(text($0.low)) to \(text($0.high)))" } ?? ""
    return """
      step \(evaluation.step): SRCC \(text(evaluation.srcc))\(interval), PLCC \
      \(text(evaluation.plcc)), MAE \(text(evaluation.mae)) on \(evaluation.count) held-out scores
      """
  }

  /// Lists the findings about records that cannot be trained on.
  func list(_ error: TrainingDataError) throws {
    for line in FindingGroup.lines(error.findings, most: 50) { Console.note("error: \(line)") }
    if error.findings.contains(where: { $0.field == "image" }) {
      Console.note("roc-data export --skip-missing writes the records whose pictures are there")
    }
    Console.note(
      """
      Error: \(error.source): \(error.findings.count) errors in \(error.records) records; nothing \
      was trained
      """)
  }

  func commandError(_ error: CheckpointError) -> CommandError {
    switch error.kind {
    case .unusable: CommandError(.badCheckpoint, error.message)
    case .exists: CommandError(.usage, error.message)
    case .output, .machine: CommandError(.failed, error.message)
    case .interrupted: CommandError(Interrupt.status ?? .interrupted, error.message)
    }
  }
}
