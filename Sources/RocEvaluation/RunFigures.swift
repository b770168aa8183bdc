package import RocData
import RocMetrics
import RocNames
package import RocReport
import RocScore
import RocStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The figures about one run on one split.
package enum RunFigures {
  /// Groups of fewer pictures say too little.
  private static let leastGroup = 5
  private static let mostThemes = 12

  /// - Parameters:
  ///   - stored: The run.
  ///   - themes: What the pictures are of.
  /// - Returns: Those that the data can give, in reading order.
  package static func all(_ stored: StoredRun, _ themes: Themes) -> [Figure] {
    let (pairs, _) = stored.pairs()
    guard pairs.count >= 3 else { return [] }
    let range = stored.dataset.range
    var figures = [
      Figure.scatter(
        predicted: pairs.predicted, truth: pairs.truth, low: range.low, high: range.high),
      Figure.histograms(
        predicted: pairs.predicted, truth: pairs.truth, low: range.low, high: range.high),
    ]
    if let bins = stored.dataset.bins, let first = pairs.distributions.first {
      let count = first.truth.count
      var predicted = [Double](repeating: 0, count: count)
      var truth = predicted
      for pair in pairs.distributions {
        for bin in 0..<count {
          predicted[bin] += pair.predicted[bin] / Double(pairs.count)
          truth[bin] += pair.truth[bin] / Double(pairs.count)
        }
      }
      figures.append(
        Figure.distributions(
          predicted: predicted, truth: truth,
          scores: (0..<count).map { bins.first + Double($0) * bins.step }))
    }
    figures.append(
      Figure.calibration(calibration(pairs), low: range.low, high: range.high))
    let byTheme = residuals(stored, themes)
    if byTheme.count >= 2 {
      figures.append(
        Figure.residuals(
          byTheme, by: "theme",
          note: "The \(byTheme.count) most frequent themes; bars are 95 % intervals of the mean."))
    }
    let entropies = entropies(stored)
    if entropies.count >= 3 { figures.append(Figure.entropy(entropies)) }
    let correlations = stored.run.targets.compactMap { target -> (name: String, value: Double)? in
      let own = stored.pairs(target: target).pairs
      return Correlation.spearman(own.predicted, own.truth).map { (target, $0) }
    }
    if correlations.count >= 3 { figures.append(Figure.radar(correlations)) }
    return figures
  }

  /// The mean of values with its normal interval.
  private static func group(_ name: String, _ values: [Double]) -> GroupMean {
    let center = mean(values)
    let interval = Interval.mean(values)
    return GroupMean(
      name: name, mean: center, low: interval?.low ?? center, high: interval?.high ?? center,
      count: values.count)
  }

  /// Tenths of the items in the order of a value.
  private static func tenths(_ values: [Double]) -> [[Int]] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    let count = min(10, max(1, order.count / leastGroup))
    return (0..<count).map {
      Array(order[order.count * $0 / count..<order.count * ($0 + 1) / count])
    }
    .filter { !$0.isEmpty }
  }

  private static func calibration(_ pairs: ScoredPairs) -> [(predicted: Double, truth: GroupMean)] {
    tenths(pairs.predicted).map { places in
      (mean(places.map { pairs.predicted[$0] }), group("", places.map { pairs.truth[$0] }))
    }
  }

  private static func residuals(_ stored: StoredRun, _ themes: Themes) -> [GroupMean] {
    var byTheme: [ExactText: [Double]] = [:]
    for line in stored.lines {
      guard let score = line.scores.first else { continue }
      for theme in themes[line.sample.id] {
        byTheme[theme, default: []].append(score - line.sample.score)
      }
    }
    let frequent = byTheme.filter { $0.value.count >= leastGroup }
      .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.prefix(mostThemes)
    return frequent.map { group($0.key.text, $0.value) }.sorted { $0.mean < $1.mean }
  }

  private static func entropies(_ stored: StoredRun) -> [(entropy: Double, error: GroupMean)] {
    var entropy: [Double] = []
    var errors: [Double] = []
    for line in stored.lines {
      guard let score = line.scores.first, let votes = line.sample.votes else { continue }
      let total = Double(votes.reduce(0, +))
      guard total > 0 else { continue }
      entropy.append(
        -votes.reduce(0) { sum, count in
          count > 0 ? sum + Double(count) / total * log2(Double(count) / total) : sum
        })
      errors.append(abs(score - line.sample.score))
    }
    guard entropy.count >= 3 * leastGroup else { return [] }
    return tenths(entropy).map { places in
      (mean(places.map { entropy[$0] }), group("", places.map { errors[$0] }))
    }
  }
}
