package import RocJSON

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
    let mean = Self.sum(scores) / Double(scores.count)
    let squares = scores.map { ($0 - mean) * ($0 - mean) }
    self.mean = mean
    deviation = (Self.sum(squares) / Double(scores.count)).squareRoot()
    self.least = least
    self.largest = largest
  }

  /// Neumaier's compensated sum: exact to the last digits for a quarter of a million rows.
  private static func sum(_ values: [Double]) -> Double {
    var sum = 0.0
    var lost = 0.0
    for value in values {
      let next = sum + value
      lost += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
      sum = next
    }
    return sum + lost
  }

  package var json: JSON {
    [
      "mean": .double(mean), "std": .double(deviation), "min": .double(least),
      "max": .double(largest),
    ]
  }
}
