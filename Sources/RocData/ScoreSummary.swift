package import RocJSON
import RocMetrics

/// Mean, population standard deviation and extremes of scores.
package struct ScoreSummary: Sendable, Equatable {
  package let mean: Double
  /// Divided by n.
  package let deviation: Double
  package let least: Double
  package let largest: Double

  /// - Parameter scores: At least one.
  package init?(_ scores: [Double]) {
    guard let least = scores.min(), let largest = scores.max() else { return nil }
    mean = RocMetrics.mean(scores)
    deviation = populationDeviation(scores)
    self.least = least
    self.largest = largest
  }

  package var json: JSON {
    [
      "mean": .double(mean), "std": .double(deviation), "min": .double(least),
      "max": .double(largest),
    ]
  }
}
