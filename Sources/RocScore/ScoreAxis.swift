/// The score values of N score tokens: equally spaced from `low` to `high`, both included.
package struct ScoreAxis: Sendable, Equatable {
  package let low: Double
  package let high: Double
  /// numpy's linspace in double, rounded to float32 as the official code does.
  package let values: [Float]

  package init(low: Double, high: Double, count: Int) {
    self.low = low
    self.high = high
    let step = count > 1 ? (high - low) / Double(count - 1) : 0
    values = (0..<count).map { i in
      Float(i == count - 1 && count > 1 ? high : low + Double(i) * step)
    }
  }

  /// The expectation of a distribution over the tokens, summed in float32 (paper, equation 3).
  package func expectation(of distribution: [Float]) -> Float {
    precondition(
      distribution.count == values.count,
      "\(distribution.count) probabilities for \(values.count) scores")
    return zip(distribution, values).reduce(Float(0)) { $0 + $1.0 * $1.1 }
  }
}
