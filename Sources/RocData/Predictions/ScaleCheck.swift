package import RocMetrics
package import RocScore

/// Whether predictions can be on the scale of the labels that they are compared with.
///
/// Correlations do not care; errors and accuracy do, and a number made of two scales looks like any
/// other.
package struct ScaleCheck: Sendable {
  /// What to tell people; nil where the scales may be the same.
  package let warning: String?

  /// Scales that models and datasets are known to use.
  private static let known = [(0.0, 1.0), (1, 5), (0, 5), (1, 10), (0, 10), (0, 100)].map {
    ScoreRange(low: $0.0, high: $0.1)
  }

  /// How many times wider one side's spread may be than the other's.
  private static let widest = 8.0

  /// - Parameters:
  ///   - pairs: Predictions and ground truth as they are compared.
  ///   - labels: The labels' scale, where it is known.
  package init(_ pairs: ScoredPairs, labels: ScoreRange? = nil) {
    guard pairs.count > 1, let predicted = ScoreSummary(pairs.predicted),
      let truth = ScoreSummary(pairs.truth), truth.largest > truth.least
    else {
      warning = nil
      return
    }
    let (low, high) = (predicted.least, predicted.largest)
    let (least, largest) = (truth.least, truth.largest)
    let isApart = high < least || low > largest
    let isNarrow =
      predicted.deviation * Self.widest < truth.deviation && high - low > 0
      && Self.fits(low, high, largest)
    let isWide = predicted.deviation > truth.deviation * Self.widest
    guard isApart || isNarrow || isWide else {
      warning = nil
      return
    }
    let from = Self.known.first { $0.contains(low) && $0.contains(high) }
    let to = labels ?? Self.known.first { $0.contains(least) && $0.contains(largest) }
    let example = from.flatMap { from in
      to.flatMap { from == $0 ? nil : "--map \(from)=\($0) maps them" }
    }
    warning = """
      scores from \(fixed(low, 3)) to \(fixed(high, 3)) can hardly be on the scale of the labels, which \
      go from \(fixed(least, 3)) to \(fixed(largest, 3)); MAE, RMSE and accuracy compare them as they \
      are; \(example ?? "--map A:B=C:D maps them linearly")
      """
  }

  /// Whether a narrow spread is that of a smaller scale: a timid model's is narrow, too.
  private static func fits(_ low: Double, _ high: Double, _ largest: Double) -> Bool {
    guard let own = known.first(where: { $0.contains(low) && $0.contains(high) }) else {
      return false
    }
    return own.high < largest
  }
}
