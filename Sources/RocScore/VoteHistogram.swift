/// Votes for the scores first, first + step, …, as counted by a dataset.
package struct VoteHistogram: Sendable, Equatable {
  package let counts: [Int]
  /// The score of the first bin.
  package let first: Double
  /// From one bin to the next.
  package let step: Double

  package init(counts: [Int], first: Double = 1, step: Double = 1) {
    precondition(counts.allSatisfy { $0 >= 0 }, "negative votes in \(counts)")
    self.counts = counts
    self.first = first
    self.step = step
  }

  package var total: Int { counts.reduce(0, +) }

  /// sum(score · votes) / votes, derived and never rounded; nil without votes.
  package var mean: Double? {
    let total = total
    guard total > 0 else { return nil }
    if first == 1, step == 1 {
      // Whole scores are summed exactly.
      let sum = counts.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element }
      return Double(sum) / Double(total)
    }
    let weighted = counts.enumerated().reduce(0.0) {
      $0 + (first + Double($1.offset) * step) * Double($1.element)
    }
    return weighted / Double(total)
  }

  /// Shares of the votes; nil without votes.
  package var distribution: [Double]? {
    let total = total
    guard total > 0 else { return nil }
    return counts.map { Double($0) / Double(total) }
  }
}
