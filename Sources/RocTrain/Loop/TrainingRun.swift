/// The updates of a training run, with everything that is kept along the way.
package final class TrainingRun {
  /// What happens, for whoever watches.
  package enum Event {
    case step(StepReport)
    case evaluated(Evaluation)
    case saved(String)
  }

  /// How a run ended.
  package enum Outcome: Sendable, Equatable {
    case done
    /// It was asked to stop; a checkpoint holds where it was.
    case stopped
  }

  private let job: TrainingJob
  private let log: StepLog
  private let events: EventFolder

  /// - Throws: `TrainingError` when the folder cannot be written to.
  package init(_ job: TrainingJob) throws(TrainingError) {
    self.job = job
    log = try StepLog(folder: job.folder.path, from: job.resumedFrom)
    events = try EventFolder(job.folder.path, from: job.resumedFrom)
  }

  /// Steps and evaluations of all starts.
  package var reports: [StepReport] { log.reports }
  package var evaluations: [Evaluation] { log.evaluations }

  /// Trains to the end, or until asked to stop.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked after every update.
  ///   - tell: Told what happens.
  /// - Returns: How it ended; after `done` the model is in the folder.
  /// - Throws: `TrainingError` for a loss that is not finite, `CheckpointError` for a full disk.
  package func run(
    shouldStop: () -> Bool, tell: (Event) throws -> Void
  ) throws -> Outcome {
    let trainer = job.trainer
    let options = job.options
    // An evaluation that was due when the last start ended.
    if let every = options.evaluationSteps, trainer.step > 0, trainer.step % every == 0 {
      try evaluate(tell)
    }
    while !trainer.isDone {
      let report = try trainer.update()
      try log.add(report)
      try events.add(report)
      try tell(.step(report))
      let isLast = trainer.isDone
      let isStopping = !isLast && shouldStop()
      if isStopping || isLast || options.saveSteps.map({ trainer.step % $0 == 0 }) ?? false {
        try save(tell)
      }
      if isStopping { return .stopped }
      // After saving: an evaluation may take longer than whoever asks to stop will wait.
      if let every = options.evaluationSteps, trainer.step % every == 0 { try evaluate(tell) }
    }
    try evaluate(tell)
    try trainer.checkWeights()
    try job.folder.finish(job.weights, dtype: options.saveType)
    return .done
  }

  private func save(_ tell: (Event) throws -> Void) throws {
    try job.trainer.checkWeights()
    try job.folder.save(
      job.weights, optimiser: job.trainer.optimiser, state: job.state,
      limit: job.options.saveLimit)
    try tell(.saved(job.folder.checkpoint(job.trainer.step)))
  }

  /// Scores the held-out samples, unless that was done at this step.
  private func evaluate(_ tell: (Event) throws -> Void) throws {
    let step = job.trainer.step
    guard !job.heldOut.isEmpty, log.evaluations.last?.step != step else { return }
    let predicted = try job.trainer.predict(job.heldOut).flatMap { $0 }
    let truth = job.heldOut.flatMap(\.scores)
    let evaluation = Evaluation(step: step, predicted: predicted, truth: truth)
    try log.add(evaluation)
    try events.add(evaluation)
    try tell(.evaluated(evaluation))
  }
}
