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
        if output.jsonl { try Console.printData(report.json.line) }
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
}
