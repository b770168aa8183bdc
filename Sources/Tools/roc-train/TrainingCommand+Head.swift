import RocJSON
import RocModel
import RocStore
import RocTool
import RocTrain

/// The training of the score tokens' rows alone.
extension TrainingCommand {
  func trainHead(
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
        if output.jsonl { try Console.printData(report.json.line) }
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
}
