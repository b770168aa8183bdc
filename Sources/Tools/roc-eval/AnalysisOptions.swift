import ArgumentParser
import RocData
import RocJSON
import RocMetrics
import RocScore
import RocStore
import RocTool

/// How intervals are resampled.
struct BootstrapOptions: ParsableArguments {
  @Option(help: "Resamples behind the intervals; 0 leaves the formulas'.")
  var resamples = 10_000

  @Option(help: "Decides the resamples.")
  var seed: UInt64 = 1

  mutating func validate() throws {
    guard resamples == 0 || (100...1_000_000).contains(resamples) else {
      throw ValidationError("--resamples \(resamples): expected 0, or 100 to 1000000.")
    }
  }

  func json(_ metrics: Metrics) -> JSON {
    guard let count = metrics.resamples else { return .null }
    return [
      "method": "BCa", "resamples": .int(count),
      "resamples_krcc": .int(min(count, Bootstrap.mostKendall)), "seed": .string(String(seed)),
    ]
  }

  func text(_ metrics: Metrics) -> String {
    metrics.resamples.map { "BCa intervals of \($0) resamples, seed \(seed)" }
      ?? "intervals by formula"
  }
}

/// Where ground truth comes from when a file of predictions has none.
struct TruthOptions: ParsableArguments {
  @Option(help: "A file with image and gt_score, for predictions without.")
  var groundTruth: String?

  @Option(help: "The dataset that holds the ground truth.")
  var dataset: String?

  @Option(help: "Its split, scheme/part or a part of the default scheme; default: all.")
  var split: String?

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard groundTruth == nil || dataset == nil else {
      throw ValidationError("--ground-truth and --dataset both give the ground truth.")
    }
    guard split == nil || dataset != nil else {
      throw ValidationError("--split goes with --dataset.")
    }
  }

  /// What the ground truth is from; nil for the file's own.
  var source: String? {
    groundTruth ?? dataset.map { "\($0)\(split.map { " \($0)" } ?? "")" }
  }

  func labels() throws -> (GroundTruth?, DatasetRecord?) {
    if let groundTruth { return (try GroundTruth(path: groundTruth), nil) }
    guard let dataset else { return (nil, nil) }
    let store = try database.open(readOnly: true)
    let record = try store.dataset(dataset)
    let samples =
      try split.map { try store.samples(record, split: $0).samples }
      ?? store.samples(record).samples
    return (GroundTruth(samples, record, source: source ?? dataset), record)
  }
}

/// A file of predictions, or standard input.
enum PredictionInput {
  static func read(_ path: String) throws -> PredictionFile {
    guard path == "-" else { return try PredictionFile(path: path) }
    return try StandardInput.readAll().withUnsafeBytes {
      try PredictionFile($0, name: "standard input")
    }
  }
}

extension [Metric] {
  /// Both ends by name, null where there are none.
  func intervals(_ interval: (Metric) -> Interval?) -> JSON {
    .object(
      map { metric in
        JSON.Member(
          metric.name, interval(metric).map { [.double($0.low), .double($0.high)] } ?? .null)
      })
  }

  /// Why values are null.
  var reasons: JSON {
    .object(compactMap { metric in metric.reason.map { JSON.Member(metric.name, .string($0)) } })
  }

  /// Names, values and intervals in columns.
  var columns: String {
    var rows = [["metric", "value", "95 % interval"]]
    for metric in self {
      rows.append([
        metric.name, metric.value.map { fixed($0, 6) } ?? "–",
        metric.interval.map { "[\(fixed($0.low, 4)), \(fixed($0.high, 4))]" } ?? metric.reason
          ?? "",
      ])
    }
    return Text.columns(rows)
  }
}

extension DistributionMetrics {
  var json: JSON {
    ["kl": JSON(kl), "js": .double(js), "crps": .double(crps), "reduction": "mean over images"]
  }

  var text: String {
    "distributions: KL \(kl.map { fixed($0, 4) } ?? "infinite"), JS \(fixed(js, 4)), "
      + "CRPS \(fixed(crps, 4)) (means over images)"
  }
}
