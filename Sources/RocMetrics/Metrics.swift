/// Predictions beside ground truth, one pair an image, both on the same scale.
package struct ScoredPairs: Sendable {
  package var predicted: [Double] = []
  package var truth: [Double] = []
  /// Predicted and true vote distributions; empty where either is unknown for any image.
  package var distributions: [(predicted: [Double], truth: [Double])] = []

  package init() {}

  package init(predicted: [Double], truth: [Double]) {
    self.predicted = predicted
    self.truth = truth
  }

  package var count: Int { predicted.count }
}

/// A metric's value with its interval, or the reason why there is none.
package struct Metric: Sendable, Equatable {
  /// The key in JSON output.
  package let name: String
  package let value: Double?
  package let interval: Interval?
  package let reason: String?

  init(_ name: String, _ value: Double?, _ interval: Interval? = nil, reason: String) {
    self.name = name
    self.value = value.flatMap { $0.isFinite ? $0 : nil }
    self.interval = self.value == nil ? nil : interval
    self.reason = self.value == nil ? reason : nil
  }
}

/// The metrics of one split, with the conventions that decide their values.
///
/// SRCC with average ranks, PLCC on raw values, KRCC tau-b, MAE and RMSE on the given scale,
/// accuracy of `score > threshold` on both sides, EMD per image and then averaged.
package struct Metrics: Sendable {
  package let all: [Metric]
  package let count: Int

  /// - Parameters:
  ///   - pairs: On one scale.
  ///   - threshold: Above it a picture counts as good; a score equal to it does not.
  package init(_ pairs: ScoredPairs, threshold: Double) {
    let p = pairs.predicted
    let g = pairs.truth
    let n = pairs.count
    count = n
    let constant =
      n < 2 ? "fewer than two scored images" : "all predictions or all ground truths are equal"
    let empty = "no scored images"
    let srcc = Correlation.spearman(p, g)
    let plcc = Correlation.pearson(p, g)
    let krcc = Correlation.kendall(p, g)
    let errors = zip(p, g).map { abs($0 - $1) }
    let squares = errors.map { $0 * $0 }
    let hits = zip(p, g).filter { ($0 > threshold) == ($1 > threshold) }.count
    let accuracy = n > 0 ? Double(hits) / Double(n) : nil
    all =
      [
        Metric(
          "srcc", srcc, srcc.flatMap { Interval.spearman($0, count: n) }, reason: constant),
        Metric("plcc", plcc, plcc.flatMap { Interval.pearson($0, count: n) }, reason: constant),
        Metric("krcc", krcc, krcc.flatMap { Interval.kendall($0, count: n) }, reason: constant),
        Metric("mae", n > 0 ? mean(errors) : nil, Interval.mean(errors), reason: empty),
        Metric(
          "rmse", n > 0 ? mean(squares).squareRoot() : nil, Interval.mean(squares)?.squareRoot,
          reason: empty),
        Metric(
          "accuracy", accuracy, accuracy.flatMap { Interval.share($0, count: n) },
          reason: empty),
      ] + Self.earthMover(pairs)
  }

  private static func earthMover(_ pairs: ScoredPairs) -> [Metric] {
    let pairwise = pairs.distributions
    let usable =
      !pairwise.isEmpty && pairwise.count == pairs.count
      && pairwise.allSatisfy { $0.predicted.count == $0.truth.count && !$0.truth.isEmpty }
    let reason =
      pairwise.isEmpty
      ? "no vote distributions on both sides"
      : "the model's bins are not the dataset's, or some images have no distribution"
    return [1, 2].map { power in
      guard usable else { return Metric("emd\(power)", nil, reason: reason) }
      let distances = pairwise.map {
        earthMoverDistance($0.predicted, $0.truth, power: power)
      }
      return Metric("emd\(power)", mean(distances), Interval.mean(distances), reason: reason)
    }
  }

  package subscript(name: String) -> Metric? { all.first { $0.name == name } }

  /// PLCC after the fits that quality assessment makes, for comparison with its tables.
  package static func fitted(_ pairs: ScoredPairs) -> [Metric] {
    let curves: [(String, LogisticFit.Curve)] = [
      ("plcc_logistic4", .fourParameters), ("plcc_logistic5", .fiveParameters),
    ]
    return curves.map { name, curve in
      Metric(
        name, LogisticFit.correlation(pairs.predicted, pairs.truth, curve: curve),
        reason: "too few or constant values, or the fit diverges")
    }
  }
}
