package import RocData
package import RocJSON
import RocMetrics

/// The metrics of a file of predictions.
package struct FileMetrics {
  /// The format that the file was read as.
  package let form: String
  /// Pictures that should have a score.
  package let expected: Int
  package let threshold: Double
  private let found: PredictionFile.Pairs
  private let metrics: Metrics
  private let distances: DistributionMetrics?
  private let resampling: Resampling

  /// - Parameters:
  ///   - file: The predictions.
  ///   - found: Their pairs.
  ///   - expected: Pictures that should have a score.
  ///   - threshold: Where good begins.
  ///   - resampling: Behind the intervals.
  package init(
    _ file: PredictionFile, _ found: PredictionFile.Pairs, expected: Int, threshold: Double,
    _ resampling: Resampling
  ) {
    form = file.form.rawValue
    self.found = found
    self.expected = expected
    self.threshold = threshold
    self.resampling = resampling
    metrics = Metrics(
      found.pairs, threshold: threshold, resamples: resampling.count, seed: resampling.seed)
    distances = DistributionMetrics(found.pairs.distributions)
  }

  private var all: [Metric] { metrics.all + Metrics.fitted(found.pairs) }

  /// The numbers of `roc-eval metrics --json`.
  package var members: [JSON.Member] {
    let all = all
    return [
      .init("metrics", .object(all.map { JSON.Member($0.name, JSON($0.value)) })),
      .init("ci95", all.intervals(\.interval)), .init("ci95_method", all.methods),
      .init("ci95_analytic", all.intervals(\.analytic)),
      .init("bootstrap", resampling.json(metrics)),
      .init("distributions", distances?.json ?? .null), .init("reasons", all.reasons),
      .init("n_expected", .int(expected)), .init("n_scored", .int(found.pairs.count)),
      .init("n_failed", .int(found.failures.count)),
      .init("n_outside_split", .int(found.outside)),
      .init("incomplete", .bool(found.pairs.count < expected)),
    ]
  }

  /// The metrics as human-readable lines.
  package var text: String {
    var lines = [all.columns]
    if let distances { lines.append(distances.text) }
    lines.append("read as \(form); \(resampling.text(metrics))")
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
