import ArgumentParser
import RocCheckpoint
import RocData
import RocJSON
import RocModel
import RocReport
import RocStore
import RocTool

struct Run: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a split, store every prediction and print the metrics (the default).",
    discussion: """
      An interrupted run continues where it stopped when the same command is given again.

      Example:
        roc-eval --checkpoint DIR --dataset ava --split test --latex table.tex
      """)

  @OptionGroup var engineOptions: EngineOptions

  @Option(help: "The dataset; may be left out when the database holds only one.")
  var dataset: String?

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split: String

  @Option(help: "Score only the first pictures of the split; metrics say so.")
  var limit: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write predictions and ground truth as CSV; - is standard output.")
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
    guard [csv, latex, html].filter({ $0 == "-" }).count + (json ? 1 : 0) <= 1 else {
      throw ValidationError("Only one of --json, --csv -, --latex - and --html - fits the output.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open()
    let record = try store.dataset(dataset)
    let (name, all) = try store.samples(record, split: split)
    let samples = limit.map { Array(all.prefix($0)) } ?? all
    guard all.contains(where: { $0.path != nil || $0.imageState == .missing }) else {
      throw CommandError(
        .dataMissing,
        """
        \(record.name): nobody has said where the pictures are; import again with \
        roc-data import \(record.name) --source … --images FOLDER
        """)
    }
    let (engine, checkpoint) = try engineOptions.engine()
    let run = try SplitRun(
      store: store, dataset: record, engine: engine, checkpoint: engineOptions.checkpoint,
      checkpointSHA256: try checkpoint.sha256(), question: engineOptions.question)
    Interrupt.listen()
    if let status = try run.score(samples, ahead: engineOptions.batchSize) { return status }

    let result = try RunResult(
      run: run, split: name ?? SplitName(scheme: record.defaultScheme, part: split), all: all)
    try write(result)
    if json {
      try Console.print(result.json.pretty)
    } else if [csv, latex, html].contains("-") {
      Console.note(result.text)
    } else {
      try Console.print(result.text)
    }
    return result.failures.isEmpty ? .done : .partlyFailed
  }

  private func write(_ result: RunResult) throws(CommandError) {
    let table = ReportTable(
      method: result.method, metrics: result.metrics, caption: result.caption)
    if let csv { try OutputFile.write(result.csv, to: csv) }
    if let latex { try OutputFile.write(table.latex, to: latex) }
    if let html { try OutputFile.write(table.html, to: html) }
  }
}
