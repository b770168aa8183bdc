import ArgumentParser
import Foundation
import RocEvaluation
import RocImage
import RocJSON
import RocMetrics
import RocNames
import RocReport
import RocScore
import RocStore
import RocTool

struct ReportCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a page about a run: metrics, figures, worst misses.",
    discussion: """
      The page is self-contained and loads nothing; each figure is also written as
      SVG and as PGFPlots code.

      Example:
        roc-eval report 3 --output report/
      """)

  @Argument(help: "The number of a stored run (roc-eval runs).")
  var run: Int64

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split = "test"

  @Option(help: "The folder to write; made when it is not there.")
  var output: String

  @Option(help: "Pictures among the worst misses.")
  var misses = 24

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var bootstrap: BootstrapOptions

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard (0...500).contains(misses) else {
      throw ValidationError("--misses \(misses): expected 0 to 500.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: true)
    let (record, dataset) = try store.run(run)
    let stored = try StoredRun(store, record, dataset, split: split)
    guard !stored.lines.isEmpty else {
      throw CommandError(
        .dataMissing, "run \(run) has no scores on \(stored.split); score it first with roc-eval")
    }
    let result = try RunResult(stored, in: store, bootstrap.resampling)
    let figures = RunFigures.all(stored, result.details.pictures)
    try OutputFile.makeFolder("\(output)/figures")
    for figure in figures {
      try OutputFile.write(figure.svg, to: "\(output)/figures/\(figure.name).svg")
      try OutputFile.write(figure.pgfplots, to: "\(output)/figures/\(figure.name).tex")
    }
    let page = ReportPage(
      title: "\(stored.method) on \(dataset.title) \(stored.split)", subtitle: result.caption,
      warnings: warnings(stored), metrics: metrics(result), facts: facts(result),
      figures: figures, misses: worst(stored))
    try OutputFile.write(page.html, to: "\(output)/index.html")
    guard json else {
      try Console.print("\(output)/index.html: \(figures.count) figures")
      return .done
    }
    let names = figures.flatMap { ["figures/\($0.name).svg", "figures/\($0.name).tex"] }
    let object: JSON = [
      "schema": "roc/report/1", "page": .string("\(output)/index.html"),
      "figures": .array(names.map { .string("\(output)/\($0)") }),
      "warnings": .array(warnings(stored).map(JSON.string)), "run": result.json,
    ]
    try Console.printData(object.pretty)
    return .done
  }
}
