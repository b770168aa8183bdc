import RocTensor

/// The updates of a training, with everything that is kept on the way.
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
  private let events: EventFile

  /// - Throws: `TrainingError` when the folder cannot be written to.
  package init(_ job: TrainingJob) throws(TrainingError) {
    self.job = job
    log = try StepLog(folder: job.folder.path, from: job.resumedFrom)
    do throws(FileError) {
      events = try EventFile(folder: job.folder.path, startingAt: job.resumedFrom)
    } catch {
      throw .request(error.description)
    }
  }

  /// Steps and evaluations of all starts.
  package var reports: [StepReport] { log.reports }
  package var evaluations: [Evaluation] { log.evaluations }

  /// Trains to the end, or until asked to stop.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked after every update.
  ///   - tell: Told what happens.
  /// - Returns: Whether all updates were made; the model is in the folder then.
  /// - Throws: `TrainingError` for a loss that is not finite, `CheckpointError` for a full disk.
  package func run(
    shouldStop: () -> Bool, tell: (Event) throws -> Void
  ) throws -> Outcome {
    let trainer = job.trainer
    let options = job.options
    while !trainer.isDone {
      let report = try trainer.update()
      try log.add(report)
      try record(report)
      try tell(.step(report))
      let isLast = trainer.isDone
      if let every = options.evaluationSteps, trainer.step % every == 0 || isLast {
        try evaluate(tell)
      }
      let isStopping = !isLast && shouldStop()
      if isStopping || isLast || options.saveSteps.map({ trainer.step % $0 == 0 }) ?? false {
        try save(tell)
      }
      if isStopping { return .stopped }
    }
    if options.evaluationSteps == nil { try evaluate(tell) }
    try job.folder.finish(job.weights, dtype: options.saveType)
    return .done
  }

  private func save(_ tell: (Event) throws -> Void) throws {
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
    var scalars: [(tag: String, value: Float)] = [("eval/mae", Float(evaluation.mae))]
    for (tag, value) in [("eval/srcc", evaluation.srcc), ("eval/plcc", evaluation.plcc)] {
      if let value { scalars.append((tag, Float(value))) }
    }
    try add(scalars, step: step)
    try tell(.evaluated(evaluation))
  }

  private func record(_ report: StepReport) throws {
    var scalars: [(tag: String, value: Float)] = [
      ("train/loss", Float(report.loss)), ("train/loss_text", Float(report.parts.text)),
      ("train/learning_rate", Float(report.learningRate)),
      ("train/grad_norm", Float(report.gradientNorm)), ("train/epoch", Float(report.epoch)),
    ]
    for (tag, value) in [
      ("train/loss_l1", report.parts.l1), ("train/loss_ce", report.parts.ce),
      ("train/loss_emd", report.parts.emd),
    ] {
      if let value { scalars.append((tag, Float(value))) }
    }
    try add(scalars, step: report.step)
  }

  private func add(_ scalars: [(tag: String, value: Float)], step: Int) throws {
    do throws(FileError) {
      try events.add(step: step, scalars: scalars)
    } catch {
      throw TrainingError.request(error.description)
    }
  }
}
