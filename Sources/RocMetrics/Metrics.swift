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

/// A metric's value with its intervals, or the reason why there is none.
package struct Metric: Sendable, Equatable {
  /// The key in JSON output.
  package let name: String
  package let value: Double?
  /// By a formula.
  package let analytic: Interval?
  /// BCa bootstrap.
  package var bootstrap: Interval?
  package let reason: String?

  /// The bootstrap's interval where there is one, else the formula's.
  package var interval: Interval? { bootstrap ?? analytic }

  /// How `interval` was found.
  package var method: String? {
    bootstrap != nil ? "BCa" : analytic != nil ? "formula" : nil
  }

  init(_ name: String, _ value: Double?, _ analytic: Interval? = nil, reason: String) {
    self.name = name
    self.value = value.flatMap { $0.isFinite ? $0 : nil }
    self.analytic = self.value == nil || analytic?.isInformative != true ? nil : analytic
    let isLost = value.map { !$0.isFinite } ?? false
    self.reason =
      self.value != nil ? nil : isLost ? "the values are too large for double precision" : reason
  }
}

/// The metrics of one split, with the conventions that decide their values.
///
/// SRCC with average ranks, PLCC on raw values, KRCC tau-b, MAE and RMSE on the given scale,
/// accuracy of `score > threshold` on both sides, EMD per image and then averaged.
package struct Metrics: Sendable {
  package private(set) var all: [Metric]
  package let count: Int
  /// Resamples behind the bootstrap's intervals; nil without them.
  package private(set) var resamples: Int?

  /// - Parameters:
  ///   - pairs: On one scale.
  ///   - threshold: Above it a picture counts as good; a score equal to it does not.
  package init(_ pairs: ScoredPairs, threshold: Double) {
    let p = pairs.predicted
    let g = pairs.truth
    let n = pairs.count
    count = n
    let constant =
      n < 3
      ? "fewer than three scored images"
      : isConstant(p)
        ? "all predictions are equal"
        : roundingSpread(p).map {
          "all predictions are equal up to rounding: they differ by \($0), which ranks noise"
        } ?? "all ground truths are equal"
    let empty = "no scored images"
    let isNoise = roundingSpread(p) != nil
    // Two points are always on a line; that says nothing.
    let srcc = n < 3 || isNoise ? nil : Correlation.spearman(p, g)
    let plcc = n < 3 || isNoise ? nil : Correlation.pearson(p, g)
    let krcc = n < 3 || isNoise ? nil : Correlation.kendall(p, g)
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
          "rmse", n > 0 ? Self.rootMeanSquare(errors) : nil, Interval.mean(squares)?.squareRoot,
          reason: empty),
        Metric(
          "accuracy", accuracy, accuracy.flatMap { Interval.share($0, count: n) },
          reason: empty),
      ] + Self.earthMover(pairs)
  }

  private static func rootMeanSquare(_ errors: [Double]) -> Double {
    let plain = mean(errors.map { $0 * $0 }).squareRoot()
    let largest = errors.reduce(0, max)
    // Squares of numbers beyond 1e±154 leave the range of a double; their root does not.
    guard largest > 0, largest.isFinite, !plain.isFinite || plain < largest * 1e-9 else {
      return plain
    }
    return largest * mean(errors.map { ($0 / largest) * ($0 / largest) }).squareRoot()
  }

  private static func earthMover(_ pairs: ScoredPairs) -> [Metric] {
    let pairwise = pairs.distributions
    let usable = pairs.hasComparableDistributions
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

  /// With BCa intervals of `resamples` resamples; too few or too many pairs keep the formulas'.
  package init(_ pairs: ScoredPairs, threshold: Double, resamples: Int, seed: UInt64) {
    self.init(pairs, threshold: threshold)
    guard resamples > 0, pairs.count >= 3, pairs.count <= Resampler.largest else { return }
    let drawn = Bootstrap(pairs, threshold: threshold, resamples: resamples, seed: seed)
    let jackknife = Jackknife(pairs, threshold: threshold)
    self.resamples = resamples
    for place in all.indices {
      guard let value = all[place].value else { continue }
      let name = all[place].name
      let interval = BCa.interval(
        estimate: value,
        replicates: name == "krcc" ? drawn.kendall : drawn.values.map { $0[name] },
        jackknife: jackknife[name])
      let isCorrelation = ["srcc", "plcc", "krcc"].contains(name)
      all[place].bootstrap = isCorrelation ? interval?.clamped : interval
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
