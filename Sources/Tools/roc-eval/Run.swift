import ArgumentParser
import Foundation
import RocCheckpoint
import RocData
import RocDigest
import RocEvaluation
import RocImage
import RocJSON
import RocModel
import RocNames
import RocReport
import RocScore
import RocStore
import RocTensor
import RocTool

struct Run: RocCommand {
  static let configuration = CommandConfiguration(
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

  @Flag(help: "Score answers without a score again, too.")
  var retryFailed = false

  @Option(help: "What its scores are.")
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
    let dataset = try store.dataset(dataset)
    let (name, all) = try store.samples(dataset, split: split)
    try check(dataset, all, store)
    let samples = Array(all.dropFirst(offset).prefix(limit ?? .max))
    guard !samples.isEmpty else {
      throw CommandError(.usage, "--offset \(offset): the split has \(all.count) pictures")
    }
    let (engine, checkpoint, mode) = try engineOptions.engine()
    if case .levels = mode, targets != "gt_score" {
      throw CommandError(.usage, "--targets \(targets): levels give one score, gt_score")
    }
    if case .scoreTokens(let question) = mode {
      let word = ScoreWord(of: dataset)
      if !word.isNamed(in: question) {
        Console.note(
          """
          Note: the score of \(dataset.name) is called \(word.question), the question is \
          "\(question)"; --question asks another
          """)
      }
    }
    var record = try self.record(dataset, engine, mode, sha256: try checkpoint.sha256())
    let policy = SplitRun.Policy(retriesFailed: retryFailed)
    Interrupt.listen()
    if let segments {
      let split = name?.description ?? self.split
      let header = SegmentHeader(
        dataset: dataset.name, split: split, splitSHA256: StoredRun.digest(all.map(\.key)),
        count: all.count, run: record)
      let run = SplitRun(
        record: record, engine: engine, mode: mode, ahead: engineOptions.batchSize)
      return try scoreShare(of: samples, run, header, folder: segments, policy)
    }
    record.id = try store.findOrInsert(record)
    for text in trainedOn {
      guard let (name, part) = Self.trainingPart(text) else { continue }
      try store.addTrainingPart(of: record.checkpointSHA256, dataset: name, split: part)
    }
    let run = SplitRun(
      record: record, engine: engine, mode: mode, ahead: engineOptions.batchSize)
    if let status = try run.score(samples, in: store, policy: policy) { return status }
    let stored = try StoredRun(store, record, dataset, split: split)
    return try show(RunResult(stored, in: store, bootstrap: bootstrap))
  }

  private func check(
    _ dataset: DatasetRecord, _ all: [SampleRecord], _ store: Store
  ) throws {
    guard all.contains(where: { $0.path != nil || $0.imageState == .missing }) else {
      throw CommandError(
        .dataMissing,
        """
        \(dataset.name): nobody has said where the pictures are; import again with \
        roc-data import \(dataset.name) --source … --images FOLDER
        """)
    }
    let known = Set(names: try store.attributeNames(of: dataset).map(\.name))
    for name in targets.pieces(",").dropFirst() where !known.contains(name) {
      throw CommandError(
        .usage,
        """
        \(dataset.name) has no attribute \(name); it has \
        \(known.isEmpty ? "none" : known.sorted().map(\.text).joined(separator: ", "))
        """)
    }
    for text in trainedOn {
      guard let (name, part) = Self.trainingPart(text) else { continue }
      // A name that is not there would never show a leak.
      _ = try store.samples(try store.dataset(name), split: part.description)
    }
  }

  /// The run that everything deciding the scores makes.
  private func record(
    _ dataset: DatasetRecord, _ engine: Engine, _ mode: ScoringMode, sha256: String
  ) throws -> RunRecord {
    let (range, tokens) = try asked(mode, engine)
    let identity = RunIdentity(engine, mode, sha256: sha256)
    let names = targets.pieces(",")
    return RunRecord(
      dataset: dataset.id ?? 0,
      // What the scores stand for decides no score, but every number that is made of them.
      fingerprint: identity.fingerprint(names.count > 1 ? [targets] : []),
      checkpoint: engineOptions.checkpoint, checkpointSHA256: sha256,
      question: identity.question, preprocessing: identity.preprocessing,
      precision: identity.precision,
      engine: Engine.version, range: range, tokens: tokens, targets: names)
  }

  /// What stands in a run for its mode: the range of scores and their tokens.
  private func asked(
    _ mode: ScoringMode, _ engine: Engine
  ) throws -> (range: ScoreRange, tokens: Int) {
    switch mode {
    case .levels(let levels):
      let range = ScoreRange(low: levels.range.lowerBound, high: levels.range.upperBound)
      return (range, LevelScoring.words.count)
    case .scoreTokens:
      guard let axis = engine.parts.readout?.axis else {
        throw CommandError(.usage, "\(engineOptions.checkpoint) has no score tokens")
      }
      return (ScoreRange(low: axis.low, high: axis.high), axis.values.count)
    }
  }

  private func scoreShare(
    of samples: [SampleRecord], _ run: SplitRun, _ header: SegmentHeader, folder: String,
    _ policy: SplitRun.Policy
  ) throws -> ExitStatus {
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
    do {
      let segment = try SegmentWriter(folder: folder, shard: share, header: header)
      return try run.score(own, into: segment, policy: policy)
    } catch let error as SegmentError {
      throw CommandError(.failed, error.message)
    }
  }

  private func show(_ result: RunResult) throws -> ExitStatus {
    if let csv { try OutputFile.write(result.csv, to: csv) }
    if let latex { try OutputFile.write(result.table.latex, to: latex) }
    if let html { try OutputFile.write(result.table.html, to: html) }
    if json {
      try Console.print(result.json.pretty)
    } else if [csv, latex, html].contains("-") {
      Console.note(result.text)
    } else {
      try Console.print(result.text)
    }
    return result.failures.isEmpty ? .done : .partlyFailed
  }
}
