import RocCheckpoint
import RocData
import RocJSON
import RocMetrics
import RocModel
import RocNames
import RocReport
import RocScore
import RocStore
import RocTensor
import RocTool
import RocTrain

/// From options to a trained model.
struct TrainingCommand {
  let data: DataOptions
  let model: ModelOptions
  let optimiser: OptimiserOptions
  let output: OutputOptions

  init(_ command: RocTrainCommand) {
    data = command.data
    model = command.model
    optimiser = command.optimiser
    output = command.output
  }

  func run() throws -> ExitStatus {
    Interrupt.listen()
    do {
      return try train()
    } catch let error as TrainingDataError {
      try list(error)
      return .checkFailed
    } catch let error as CheckpointError {
      throw commandError(error)
    } catch ModelError.output(let error) {
      throw commandError(error)
    } catch ModelError.checkpoint(let message) {
      throw CommandError(.badCheckpoint, message)
    } catch ModelError.request(let message) {
      throw CommandError(.usage, message)
    } catch let error as ModelError {
      throw CommandError(.failed, error.description)
    } catch let error as TrainingError {
      if case .request = error { throw CommandError(.usage, error.description) }
      if case .busy = error { throw CommandError(.busy, error.description) }
      if case .state = error { throw CommandError(.checkFailed, error.description) }
      throw CommandError(.failed, error.description)
    }
  }

  private func train() throws -> ExitStatus {
    let options = try trainingOptions()
    let prepared = try PreparedModel(options, note: Console.note)
    let records = try TrainingRecords(try input(), for: prepared, note: Console.note)
    records.remarks.forEach(Console.note)
    let (training, heldOut, pictures) = (records.training, records.heldOut, records.pictures)
    if let status = Interrupt.status { return status }
    let parts = try prepared.load()
    if let status = Interrupt.status { return status }
    if model.train == .head {
      return try trainHead(prepared, parts, training, heldOut: heldOut, pictures)
    }
    let job = try TrainingJob(
      prepared, parts: parts, data: training, heldOut: heldOut, pictures: pictures)
    // Only now: nothing is lost to a mistyped name, a bad record or broken weights.
    if output.overwriteOutputDir { prepared.folder.clear() }
    let taught = training.samples.reduce(0) { $0 + $1.text.supervisedCount }
    Console.note(
      """
      \(training.samples.count) records, \(taught) taught tokens, \
      \(training.samples.reduce(0) { $0 + $1.scores.count }) scores; \
      \(job.options.settings.steps) updates\
      \(job.resumedFrom > 0 ? ", going on after \(job.resumedFrom)" : "")
      """)
    Console.note(Self.line(job.options.settings))
    let run = try TrainingRun(job)
    var meter = TrainingMeter(steps: job.options.settings.steps, from: job.resumedFrom)
    func tell(_ event: TrainingRun.Event) throws {
      switch event {
      case .step(let report):
        meter.show(report)
        if output.jsonl { try Console.print(report.json.line) }
      case .evaluated(let evaluation): meter.note(Self.line(evaluation))
      case .saved(let folder): meter.note("saved \(folder)")
      }
    }
    let outcome = try run.run(shouldStop: { Interrupt.status != nil }, tell: tell)
    meter.finish()
    try TrainingCurves.draw(run.reports, run.evaluations, into: output.outputDir)
    guard outcome == .done else {
      Console.note("stopped; the same command goes on from here")
      return Interrupt.status ?? .interrupted
    }
    Console.note("\(output.outputDir): the model is there")
    if data.dataset != nil { remember(try? data.database.open()) }
    return .done
  }

  private func trainHead(
    _ prepared: PreparedModel, _ parts: ModelParts, _ training: TrainingData,
    heldOut: TrainingData?,
    _ pictures: PictureStore
  ) throws -> ExitStatus {
    let store = try data.database.open(creates: true)
    let job = try HeadJob(prepared, parts: parts, store: store, pictures: pictures)
    if output.overwriteOutputDir { prepared.folder.clear() }
    Console.note(Self.line(prepared.options.settings))
    var states = Progress("hidden states", total: training.samples.count, unit: "pictures")
    var (seen, all) = (0, 0)
    func tell(_ event: HeadJob.Event) throws {
      switch event {
      case .states(let done, let count, let computed):
        if done == count {
          seen += computed
          all += count
        }
        states.update(done)
      case .step(let report):
        if output.jsonl { try Console.print(report.json.line) }
      case .evaluated(let evaluation):
        states.finish()
        Console.note(Self.line(evaluation))
      }
    }
    let (log, isDone) = try job.run(
      training, heldOut: heldOut, shouldStop: { Interrupt.status != nil }, tell: tell)
    states.finish()
    guard isDone else {
      Console.note("stopped; hidden states that were computed are kept in \(store.path)")
      return Interrupt.status ?? .interrupted
    }
    try TrainingCurves.draw(log.reports, log.evaluations, into: output.outputDir)
    Console.note(
      """
      \(output.outputDir): the model is there, after \(log.reports.count) updates of the score \
      tokens' rows; the model saw \(seen) pictures, \(all - seen) states were in \(store.path)
      """)
    remember(store)
    return .done
  }

  /// Keeps in the database what the new checkpoint was trained on.
  private func remember(_ store: Store?) {
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

  /// What the official names of the settings do not show.
  private static func line(_ settings: TrainingSettings) -> String {
    let weights = settings.weights
    return """
      loss: text + \(weights.l1) l1 + \(weights.ce) ce + \(weights.emd) emd; learning rate \
      \(settings.learningRate), \(settings.schedule.rawValue), batches of \
      \(settings.batchSize * settings.accumulation)
      """
  }

  private static func line(_ evaluation: Evaluation) -> String {
    func text(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "-" }
    let interval = evaluation.interval.map { " (95 %: \(text($0.low)) to \(text($0.high)))" } ?? ""
    return """
      step \(evaluation.step): SRCC \(text(evaluation.srcc))\(interval), PLCC \
      \(text(evaluation.plcc)), MAE \(text(evaluation.mae)) on \(evaluation.count) held-out scores
      """
  }

  /// Every finding of records that cannot be trained with.
  private func list(_ error: TrainingDataError) throws {
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

  private func commandError(_ error: CheckpointError) -> CommandError {
    switch error.kind {
    case .unusable: CommandError(.badCheckpoint, error.message)
    case .exists: CommandError(.usage, error.message)
    case .output: CommandError(.failed, error.message)
    case .interrupted: CommandError(Interrupt.status ?? .interrupted, error.message)
    }
  }
}
