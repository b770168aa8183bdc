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
    // All pictures of a split are expected, not only those that the file has.
    let expected = truth.split == nil ? found.count : labels?.count ?? found.count
    if let map { found.pairs.predicted = found.pairs.predicted.map { map($0) } }
    if map == nil, let warning = ScaleCheck(found.pairs, labels: dataset?.range).warning {
      Console.note("Warning: \(predictions): \(warning)")
    }
    let result = FileMetrics(
      file, found, expected: expected, threshold: threshold ?? dataset?.threshold ?? 5,
      bootstrap.resampling)
    if json {
      try Console.printData(object(result, labels, split).pretty)
    } else {
      try Console.print(result.text)
    }
    return found.failures.isEmpty ? .done : .partlyFailed
  }

  private func object(
    _ result: FileMetrics, _ labels: GroundTruth?, _ split: SplitName?
  ) -> JSON {
    let head: [JSON.Member] = [
      .init("schema", "roc/metrics/1"), .init("predictions", .string(predictions)),
      .init("form", .string(result.form)), .init("ground_truth", JSON(truth.source)),
      .init(
        "split",
        truth.split == nil
          ? .null
          : [
            "name": JSON(split?.description ?? truth.split),
            "sha256": .string(StoredRun.digest(labels?.keys ?? [])),
            "n": .int(result.expected),
          ]),
      .init("threshold", .double(result.threshold)), .init("map", JSON(map?.description)),
    ]
    return .object(head + result.members)
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
