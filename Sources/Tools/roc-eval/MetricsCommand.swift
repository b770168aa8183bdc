import ArgumentParser
import RocData
import RocEvaluation
import RocJSON
import RocMetrics
import RocScore
import RocStore
import RocTool

struct MetricsCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Compute the metrics of a file of predictions, with intervals.",
    discussion: """
      CSV (image,gt_score,score[,p1…pN][,t1…tN]), JSON array, JSON Lines or objects back to back, and
      the result files of Q-Align, DeQA-Score, Q-Bench, NIMA and pyiqa. Nothing is mapped unless
      --map asks for it. Intervals are BCa bootstrap intervals; formulas' stand beside them.

      Examples:
        roc-eval metrics --predictions scores.csv --map 0:1=1:10
        roc-eval metrics --predictions pyiqa.csv --dataset ava --split test
      """)

  @Option(help: "The file of predictions; - is standard input.")
  var predictions: String

  @OptionGroup var truth: TruthOptions

  @Option(help: "A picture is good when its score is above this; default: the dataset's, or 5.")
  var threshold: Double?

  @Option(help: "Map scores linearly, as in 0:1=1:10.")
  var map: LinearMap?

  @OptionGroup var bootstrap: BootstrapOptions

  @Flag(help: "Print one JSON object with full precision.")
  var json = false

  mutating func validate() throws {
    guard truth.split == nil || truth.dataset != nil else {
      throw ValidationError("--split goes with --dataset.")
    }
    guard threshold?.isFinite ?? true else {
      throw ValidationError("--threshold must be a number.")
    }
  }

  func execute() throws -> ExitStatus {
    let file = try PredictionInput.read(predictions)
    let (labels, dataset, split) = try truth.labels()
    var found = try file.pairs(truth: labels)
    for failure in found.failures.prefix(20) { Console.note("Warning: \(failure)") }
    if found.failures.count > 20 {
      Console.note("Warning: … and \(found.failures.count - 20) more records without a score")
    }
    found.noteDuplicates(predictions)
    // Of a split all pictures are expected, not only those that the file has.
    let expected = truth.split == nil ? found.count : labels?.count ?? found.count
    if let map { found.pairs.predicted = found.pairs.predicted.map { map($0) } }
    if map == nil, let warning = ScaleCheck(found.pairs, labels: dataset?.range).warning {
      Console.note("Warning: \(predictions): \(warning)")
    }
    let threshold = threshold ?? dataset?.threshold ?? 5
    let metrics = Metrics(
      found.pairs, threshold: threshold, resamples: bootstrap.resamples, seed: bootstrap.seed)
    let all = metrics.all + Metrics.fitted(found.pairs)
    let distances = DistributionMetrics(found.pairs.distributions)
    if json {
      try Console.print(
        object(file, found, all, distances, threshold, metrics, labels, split, expected).pretty)
    } else {
      try Console.print(text(file, found, all, distances, metrics, expected))
    }
    return found.failures.isEmpty ? .done : .partlyFailed
  }

  private func object(
    _ file: PredictionFile, _ found: PredictionFile.Pairs, _ all: [Metric],
    _ distances: DistributionMetrics?, _ threshold: Double, _ metrics: Metrics,
    _ labels: GroundTruth?, _ split: SplitName?, _ expected: Int
  ) -> JSON {
    [
      "schema": "roc/metrics/1",
      "predictions": .string(predictions),
      "form": .string(file.form.rawValue),
      "ground_truth": JSON(truth.source),
      "split": truth.split == nil
        ? .null
        : [
          "name": JSON(split?.description ?? truth.split),
          "sha256": .string(StoredRun.digest(labels?.keys ?? [])),
          "n": .int(expected),
        ],
      "threshold": .double(threshold),
      "map": JSON(map?.description),
      "metrics": .object(all.map { JSON.Member($0.name, JSON($0.value)) }),
      "ci95": all.intervals(\.interval),
      "ci95_method": all.methods,
      "ci95_analytic": all.intervals(\.analytic),
      "bootstrap": bootstrap.resampling.json(metrics),
      "distributions": distances?.json ?? .null,
      "reasons": all.reasons,
      "n_expected": .int(expected),
      "n_scored": .int(found.pairs.count),
      "n_failed": .int(found.failures.count),
      "n_outside_split": .int(found.outside),
      "incomplete": .bool(found.pairs.count < expected),
    ]
  }

  private func text(
    _ file: PredictionFile, _ found: PredictionFile.Pairs, _ all: [Metric],
    _ distances: DistributionMetrics?, _ metrics: Metrics,
    _ expected: Int
  ) -> String {
    var lines = [all.columns]
    if let distances { lines.append(distances.text) }
    lines.append("read as \(file.form.rawValue); \(bootstrap.resampling.text(metrics))")
    lines.append(
      "\(found.pairs.count) of \(found.count) records scored, \(found.failures.count) failed")
    if found.outside > 0 {
      lines.append("\(found.outside) further records are of pictures outside the split")
    }
    if found.pairs.count < expected, expected > found.count {
      lines.append(
        "The metrics are over an incomplete split: \(found.pairs.count) of its \(expected) pictures."
      )
    }
    return lines.joined(separator: "\n")
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
