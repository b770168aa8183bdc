import ArgumentParser
import RocData
import RocJSON
import RocMetrics
import RocScore
import RocTool

struct MetricsCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Compute the metrics of a file of predictions.",
    discussion: """
      CSV with the columns image,gt_score,score[,p1…pN][,t1…tN], a JSON array, JSON Lines, or JSON
      objects back to back. Nothing is mapped unless --map asks for it.

      Example:
        roc-eval metrics --predictions scores.csv --map 0:1=1:10
      """)

  @Option(help: "The file of predictions; - is standard input.")
  var predictions: String

  @Option(help: "A picture is good when its score is above this.")
  var threshold = 5.0

  @Option(help: "Map scores linearly, as in 0:1=1:10.")
  var map: LinearMap?

  @Flag(help: "Print one JSON object with full precision.")
  var json = false

  mutating func validate() throws {
    guard threshold.isFinite else { throw ValidationError("--threshold must be a number.") }
  }

  func execute() throws -> ExitStatus {
    let file =
      predictions == "-"
      ? try StandardInput.readAll().withUnsafeBytes {
        try PredictionFile($0, name: "standard input")
      } : try PredictionFile(path: predictions)
    for failure in file.failures.prefix(20) { Console.note("Warning: \(failure)") }
    if file.failures.count > 20 {
      Console.note("Warning: … and \(file.failures.count - 20) more records without a score")
    }
    var pairs = file.pairs
    if let map { pairs.predicted = pairs.predicted.map { map($0) } }
    let metrics = Metrics(pairs, threshold: threshold)
    let all = metrics.all + Metrics.fitted(pairs)
    try Console.print(json ? object(file, all).pretty : text(file, all))
    return file.failures.isEmpty ? .done : .partlyFailed
  }

  private func object(_ file: PredictionFile, _ metrics: [Metric]) -> JSON {
    let reasons = metrics.compactMap { metric in
      metric.reason.map { JSON.Member(metric.name, .string($0)) }
    }
    return [
      "schema": "roc/metrics/1",
      "predictions": .string(predictions),
      "threshold": .double(threshold),
      "map": JSON(map?.description),
      "metrics": .object(metrics.map { JSON.Member($0.name, JSON($0.value)) }),
      "ci95": .object(
        metrics.map { metric in
          JSON.Member(
            metric.name, metric.interval.map { [.double($0.low), .double($0.high)] } ?? .null)
        }),
      "reasons": .object(reasons),
      "n_expected": .int(file.count),
      "n_scored": .int(file.pairs.count),
      "n_failed": .int(file.failures.count),
    ]
  }

  private func text(_ file: PredictionFile, _ metrics: [Metric]) -> String {
    var rows = [["metric", "value", "95 % interval"]]
    for metric in metrics {
      rows.append([
        metric.name, metric.value.map { fixed($0, 6) } ?? "–",
        metric.interval.map { "[\(fixed($0.low, 4)), \(fixed($0.high, 4))]" }
          ?? metric.reason ?? "",
      ])
    }
    return Text.columns(rows)
      + "\n\(file.pairs.count) of \(file.count) records scored, \(file.failures.count) failed"
  }
}

/// `A:B=C:D`: the linear map that takes A to C and B to D.
struct LinearMap: ExpressibleByArgument, CustomStringConvertible {
  let from: ScoreRange
  let to: ScoreRange

  init?(argument: String) {
    let numbers = argument.split(separator: "=", omittingEmptySubsequences: false)
      .map { $0.split(separator: ":", omittingEmptySubsequences: false).compactMap { Double($0) } }
    guard numbers.count == 2, numbers.allSatisfy({ $0.count == 2 && $0[0] < $0[1] }),
      numbers.allSatisfy({ $0.allSatisfy(\.isFinite) })
    else { return nil }
    from = ScoreRange(low: numbers[0][0], high: numbers[0][1])
    to = ScoreRange(low: numbers[1][0], high: numbers[1][1])
  }

  func callAsFunction(_ score: Double) -> Double { from.map(score, to: to) }

  var description: String { "\(from)=\(to)" }
}
