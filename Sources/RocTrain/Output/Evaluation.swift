package import RocJSON
package import RocMetrics

/// How well a held-out split is scored in the course of a training run.
package struct Evaluation: Sendable, Equatable {
  /// Updates before it.
  package let step: Int
  package let count: Int
  /// Nil where all predictions or all scores are equal.
  package let srcc: Double?
  package let interval: Interval?
  package let plcc: Double?
  /// Mean absolute difference, on the scale of gt_score.
  package let mae: Double

  /// - Parameters:
  ///   - step: Updates before it.
  ///   - predicted: Scores.
  ///   - truth: gt_score, in the same order.
  package init(step: Int, predicted: [Double], truth: [Double]) {
    self.step = step
    count = predicted.count
    // Predictions that are not numbers have no ranks.
    let isFinite = predicted.allSatisfy(\.isFinite)
    srcc = isFinite ? Correlation.spearman(predicted, truth) : nil
    interval = srcc.flatMap { Interval.spearman($0, count: predicted.count) }
    plcc = isFinite ? Correlation.pearson(predicted, truth) : nil
    mae = mean(zip(predicted, truth).map { abs($0 - $1) })
  }

  init?(_ json: JSON) {
    guard let step = json["step"]?.int, let count = json["eval_count"]?.int,
      let mae = json["eval_mae"]?.double
    else { return nil }
    self.step = step
    self.count = count
    self.mae = mae
    srcc = json["eval_srcc"]?.double
    plcc = json["eval_plcc"]?.double
    interval = srcc.flatMap { Interval.spearman($0, count: count) }
  }

  package var json: JSON {
    func value(_ number: Double?) -> JSON { number.map { .double($0) } ?? .null }
    return [
      "schema": "roc/training-evaluation/1", "step": .int(step), "eval_count": .int(count),
      "eval_srcc": value(srcc),
      "eval_srcc_low": value(interval?.low), "eval_srcc_high": value(interval?.high),
      "eval_plcc": value(plcc), "eval_mae": .double(mae),
    ]
  }
}
