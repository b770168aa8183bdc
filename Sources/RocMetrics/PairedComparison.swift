/// Two sets of predictions of the same images, metric by metric.
///
/// Both are evaluated on the same resamples, so that what is hard for both cancels.
package struct PairedComparison: Sendable {
  /// One metric's difference, first minus second.
  package struct Difference: Sendable {
    package let name: String
    package let first: Double
    package let second: Double
    /// BCa interval of the difference.
    package let interval: Interval?
    /// Two-sided p from the resamples: twice the smaller share on one side of 0, at least 2 / (B + 1).
    package let bootstrap: Double?
    /// Steiger's test for correlations, McNemar's for accuracy.
    package let test: (name: String, p: Double)?
    /// Zou's interval for correlations.
    package let analytic: Interval?

    package var difference: Double { first - second }
  }

  package let count: Int
  package let resamples: Int
  package let differences: [Difference]
  /// Metrics that one of them does not have, with the reason.
  package let reasons: [(name: String, reason: String)]
  /// Images on which only the first, and only the second, is on the right side of the threshold.
  package let onlyFirst: Int
  package let onlySecond: Int

  /// - Parameters:
  ///   - first: Predictions with ground truth.
  ///   - second: Of the same images in the same order.
  ///   - threshold: Above it a score counts as good.
  ///   - resamples: How many.
  ///   - seed: Decides them.
  package init(
    _ first: ScoredPairs, _ second: ScoredPairs, threshold: Double, resamples: Int, seed: UInt64
  ) {
    precondition(first.count == second.count, "\(first.count) and \(second.count) predictions")
    count = first.count
    self.resamples = resamples
    let hits = [first, second].map { pairs in
      zip(pairs.predicted, pairs.truth).map { ($0 > threshold) == ($1 > threshold) }
    }
    onlyFirst = zip(hits[0], hits[1]).filter { $0 && !$1 }.count
    onlySecond = zip(hits[0], hits[1]).filter { !$0 && $1 }.count
    guard first.count >= 3, first.count <= Resampler.largest else {
      differences = []
      let reason =
        first.count < 3
        ? "fewer than three images" : "more than \(Resampler.largest) images, too many to resample"
      reasons = Resampler.Values.names.map { ($0, reason) }
      return
    }
    let samplers = [
      Resampler(first, threshold: threshold), Resampler(second, threshold: threshold),
    ]
    let drawn = Bootstrap.draw(first.count, resamples, seed) {
      (Resampler.Workspace(samplers[0]), Resampler.Workspace(samplers[1]))
    } evaluate: { counts, room in
      (samplers[0].values(counts, &room.0), samplers[1].values(counts, &room.1))
    }
    let metrics = [
      Metrics(first, threshold: threshold), Metrics(second, threshold: threshold),
    ]
    reasons = Resampler.Values.names.compactMap { name in
      for (which, metrics) in zip(["first", "second"], metrics) {
        // What neither can have, such as EMD without vote distributions, is no news.
        if let reason = metrics[name]?.reason, metrics[name]?.value == nil,
          !name.hasPrefix("emd")
        {
          return (name, "\(which): \(reason)")
        }
      }
      return nil
    }
    let left = [Jackknife(first, threshold: threshold), Jackknife(second, threshold: threshold)]
    var tests: [String: (name: String, p: Double)] = [
      "accuracy": ("McNemar", McNemar.exact(onlyFirst, onlySecond))
    ]
    var zou: [String: Interval] = [:]
    let kinds: [(String, DependentCorrelations.Kind)] = [("srcc", .spearman), ("plcc", .pearson)]
    for (name, kind) in kinds {
      let between =
        kind == .pearson
        ? Correlation.pearson(first.predicted, second.predicted)
        : Correlation.spearman(first.predicted, second.predicted)
      guard let a = metrics[0][name]?.value, let b = metrics[1][name]?.value, let between else {
        continue
      }
      let pair = DependentCorrelations(
        first: a, second: b, between: between, count: first.count, kind: kind)
      if let steiger = pair.steiger { tests[name] = ("Steiger", steiger.p) }
      zou[name] = pair.zou
    }
    differences = Resampler.Values.names.compactMap { name in
      guard let a = metrics[0][name]?.value, let b = metrics[1][name]?.value else { return nil }
      let replicates = drawn.map { $0.0[name] - $0.1[name] }
      let jackknife = zip(left[0][name], left[1][name]).map { $0 - $1 }
      return Difference(
        name: name, first: a, second: b,
        interval: BCa.interval(estimate: a - b, replicates: replicates, jackknife: jackknife),
        bootstrap: Self.p(replicates), test: tests[name], analytic: zou[name])
    }
  }

  private static func p(_ replicates: [Double]) -> Double? {
    let defined = replicates.filter(\.isFinite)
    guard !defined.isEmpty else { return nil }
    let below = defined.filter { $0 <= 0 }.count
    let above = defined.filter { $0 >= 0 }.count
    return min(1, 2 * Double(min(below, above) + 1) / Double(defined.count + 1))
  }
}
