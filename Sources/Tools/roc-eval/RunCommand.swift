import ArgumentParser
import Foundation
import RocCheckpoint
import RocEngineTool
import RocEvaluation
import RocJSON
import RocNames
import RocReport
import RocScoring
import RocStore
import RocTool

struct RunCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Score a split, store every prediction and print the metrics (the default).",
    discussion: """
      The same command continues an interrupted run; several processes may share one
      database, or write --segments that roc-eval merge puts together. Example:
        roc-eval --checkpoint DIR --dataset ava --split test --latex table.tex
      """)

  @OptionGroup var engineOptions: EngineOptions

  @Option(help: "The dataset, unless there is only one.")
  var dataset: String?

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split: String

  @Option(help: "Score only so many pictures.")
  var limit: Int?

  @Option(help: "Skip this many pictures at the start.")
  var offset = 0

  @Flag(help: "Ask again where an answer held no score.")
  var retryFailed = false

  @Option(help: "What each score of an answer is.")
  var targets = "gt_score"

  @Option(help: "DATASET:SCHEME/PART it has seen; repeats.")
  var trainedOn: [String] = []

  @OptionGroup var bootstrap: BootstrapOptions

  @Option(help: "Folder for a segment of this worker's own.")
  var segments: String?

  @Option(help: "Its share, i/n; else by ROC_SHARD, Slurm or MPI.")
  var shard: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write predictions and ground truth as CSV.")
  var csv: String?

  @Option(help: "Write the metrics as a LaTeX table.")
  var latex: String?

  @Option(help: "Write the metrics as an HTML page.")
  var html: String?

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard limit.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--limit \(limit ?? 0): expected 1 or more.")
    }
    guard offset >= 0 else { throw ValidationError("--offset \(offset): expected 0 or more.") }
    guard [csv, latex, html].filter({ $0 == "-" }).count + (json ? 1 : 0) <= 1 else {
      throw ValidationError("Only one of --json, --csv -, --latex - and --html - fits the output.")
    }
    if segments == nil, let text = ProcessInfo.processInfo.environment["ROC_SHARD"], !text.isEmpty {
      throw ValidationError("ROC_SHARD=\(text) goes with --segments FOLDER.")
    }
    guard shard == nil || segments != nil else {
      throw ValidationError("--shard goes with --segments FOLDER.")
    }
    guard shard.map({ Shard($0) != nil }) ?? true else {
      throw ValidationError("--shard \(shard ?? ""): expected i/n with i from 1 to n.")
    }
    guard segments == nil || (csv == nil && latex == nil && html == nil && !json) else {
      throw ValidationError("A segment has no metrics; roc-eval merge gives them.")
    }
    for text in trainedOn where Self.trainingPart(text) == nil {
      throw ValidationError("--trained-on \(text): expected DATASET:SCHEME/PART.")
    }
    let names = targets.pieces(",")
    guard names.first == "gt_score", !names.contains(""), Set(names: names).count == names.count
    else {
      throw ValidationError("--targets \(targets): expected gt_score, then attributes, each once.")
    }
  }

  private static func trainingPart(_ text: String) -> (dataset: String, split: SplitName)? {
    let halves = text.pieces(":", atMost: 2)
    let names = halves.last.map(PathName.parts) ?? []
    guard halves.count == 2, names.count == 2 else { return nil }
    return (halves[0], SplitName(scheme: names[0], part: names[1]))
  }

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: segments != nil)
    let job = try SplitJob(store, request)
    let (engine, checkpoint, mode) = try engineOptions.engine()
    if let remark = job.remark(on: mode) { Console.note(remark) }
    let record = try job.runRecord(engine, mode, sha256: try checkpoint.sha256())
    Interrupt.listen()
    var meter = ScoreMeter(total: 0)
    func scorer(for record: RunRecord) -> SplitScorer {
      SplitScorer(
        record: record, engine: engine, mode: mode, ahead: engineOptions.settings.batchSize,
        policy: .init(retriesFailed: retryFailed), shouldStop: { Interrupt.status != nil },
        tell: { meter.show($0) })
    }
    if let segments {
      let own = try share(of: job.samples)
      meter = ScoreMeter(total: own.pictures.count)
      let segment = try SegmentWriter(
        folder: segments, shard: own.shard, header: job.header(record))
      let (end, failed) = try scorer(for: record).score(own.pictures, into: segment)
      meter.finish()
      if let status = stopped(end, in: "") { return status }
      return failed == 0 ? .done : .partlyFailed
    }
    let stored = try job.insert(record)
    meter = ScoreMeter(total: job.samples.count)
    let end = try scorer(for: stored).score(job.samples, in: store)
    meter.finish()
    if let status = stopped(end, in: "database") { return status }
    let result = try StoredRun(store, stored, job.dataset, split: split)
    return try show(RunResult(result, in: store, bootstrap.resampling))
  }

  private var request: SplitRequest {
    var request = SplitRequest(split: split, checkpoint: engineOptions.checkpoint)
    request.dataset = dataset
    request.offset = offset
    request.limit = limit
    request.targets = targets.pieces(",")
    request.trainedOn = trainedOn.compactMap(Self.trainingPart)
    return request
  }

  /// Says where the command goes on from; nil when all is done.
  private func stopped(_ end: ScoringEnd, in place: String) -> ExitStatus? {
    guard case .stopped(let done, let all) = end else { return nil }
    Console.note(
      place.isEmpty
        ? "interrupted after \(done) of \(all) pictures; the same command continues from here"
        : """
        interrupted: \(done) of \(all) pictures are scored and stored; the same command continues \
        from here
        """)
    return Interrupt.status ?? .interrupted
  }

  /// This worker's share of the pictures.
  private func share(
    of samples: [SampleRecord]
  ) throws -> (shard: Shard, pictures: [SampleRecord]) {
    var detected: (shard: Shard, from: String)?
    do throws(SegmentError) {
      if shard == nil { detected = try Shard.detect(ProcessInfo.processInfo.environment) }
    } catch {
      throw CommandError(.usage, error.message)
    }
    guard let share = shard.flatMap({ Shard($0) }) ?? detected?.shard ?? Shard(index: 1, count: 1)
    else { throw CommandError(.usage, "--shard \(shard ?? "")") }
    let own = samples.filter { share.contains($0.key) }
    let source = shard == nil ? detected.map { " (\($0.from))" } ?? "" : ""
    Console.note("shard \(share)\(source): \(own.count) of \(samples.count) pictures")
    return (share, own)
  }

  private func show(_ result: RunResult) throws -> ExitStatus {
    if let csv { try OutputFile.write(result.csv, to: csv) }
    if let latex { try OutputFile.write(result.table.latex, to: latex) }
    if let html { try OutputFile.write(result.table.html, to: html) }
    if json {
      try Console.printData(result.json.pretty)
    } else if [csv, latex, html].contains("-") {
      Console.note(result.text)
    } else {
      try Console.print(result.text)
    }
    return result.failures.isEmpty ? .done : .partlyFailed
  }
}
