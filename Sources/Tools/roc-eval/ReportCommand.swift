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
    try Console.print(object.pretty)
    return .done
  }

  private func warnings(_ stored: StoredRun) -> [String] {
    var result = stored.seen.map { "\($0.text)." }
    if stored.isIncomplete {
      result.append(
        "\(stored.lines.count) of the \(stored.expected) pictures have a score; the numbers are over those."
      )
    }
    return result
  }

  private static let definitions = [
    "srcc": "Pearson's correlation of average ranks", "plcc": "Pearson's correlation of raw values",
    "krcc": "Kendall's tau-b", "mae": "mean absolute error on the dataset's scale",
    "rmse": "root of the mean squared error",
    "accuracy": "share of pictures on the same side of the threshold",
    "emd1": "earth mover's distance, r = 1, per picture, then averaged",
    "emd2": "earth mover's distance, r = 2, per picture, then averaged",
  ]

  private func metrics(
    _ result: RunResult
  ) -> [(name: String, value: String, interval: String, note: String)] {
    result.metrics.all.map { metric in
      (
        metric.name.uppercased(), metric.value.map { fixed($0, 4) } ?? "–",
        metric.interval.map { "\(fixed($0.low, 4)) to \(fixed($0.high, 4))" }
          ?? metric.reason ?? "",
        Self.definitions[metric.name] ?? ""
      )
    }
  }

  private func facts(_ result: RunResult) -> [(name: String, value: String)] {
    let stored = result.stored
    var facts = [
      ("dataset", stored.dataset.title + (stored.dataset.variant.map { " (\($0))" } ?? "")),
      ("split", "\(stored.split), \(stored.expected) pictures, SHA-256 \(stored.splitSHA256)"),
      ("scored, failed", "\(stored.lines.count), \(stored.failures.count)"),
      ("ground truth", "as stored, not rounded, on \(stored.dataset.range.words)"),
      ("scale map", stored.scale),
      ("threshold", "score > \(ScoreRange.short(stored.dataset.threshold)) on both sides"),
      ("checkpoint", "\(stored.run.checkpoint), SHA-256 \(stored.run.checkpointSHA256)"),
      ("question", stored.run.question), ("precision", stored.run.precision),
      ("engine", "roc \(stored.run.engine)"),
      ("intervals", bootstrap.resampling.text(result.metrics)),
    ]
    if let themes = result.details.themes {
      let means = [("SRCC", themes.average(\.srcc)), ("PLCC", themes.average(\.plcc))].map {
        "\($0.0) \($0.1.map { fixed($0, 4) } ?? "–")"
      }
      facts.append(
        (
          "within themes",
          "\(means.joined(separator: ", ")), means over \(themes.averaged) themes"
        ))
    }
    if let comments = result.details.comments {
      facts.append(
        (
          "comments",
          "CIDEr \(fixed(comments.cider, 4)) over \(comments.count) pictures, against \(comments.source)"
        ))
    }
    if let ceiling = stored.ceiling(seed: bootstrap.seed) {
      facts.append(
        (
          "noise ceiling",
          "SRCC \(fixed(ceiling.srcc, 3)), PLCC \(fixed(ceiling.plcc, 3)) with \(fixed(ceiling.votes, 0)) votes a picture"
        ))
    }
    return facts
  }

  /// The pictures with the largest errors, drawn small.
  private func worst(_ stored: StoredRun) -> [ReportPage.Miss] {
    let sorted = stored.lines.sorted {
      let (a, b) = (abs($0.scores[0] - $0.sample.score), abs($1.scores[0] - $1.sample.score))
      return (b, $0.sample.key) < (a, $1.sample.key)
    }
    return sorted.prefix(misses).map { line in
      ReportPage.Miss(
        name: line.sample.key.text, predicted: fixed(line.scores[0], 2),
        truth: fixed(line.sample.score, 2),
        text: CommentMetrics.comment(of: line.text ?? ""),
        thumbnail: line.sample.path.flatMap(Self.thumbnail))
    }
  }

  private static func thumbnail(_ path: String) -> String? {
    guard let picture = try? Picture.read(path) else { return nil }
    let scale = min(1, 320 / Double(max(picture.width, picture.height)))
    let small = picture.resized(
      width: max(1, Int(Double(picture.width) * scale)),
      height: max(1, Int(Double(picture.height) * scale)), filter: .bicubic)
    return Data(small.jpeg(quality: 82)).base64EncodedString()
  }
}
