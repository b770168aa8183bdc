extension VoteHistogram {
  /// The distribution over another number of equally spaced scores from the first bin's to the
  /// last bin's.
  ///
  /// A bin's share goes to the two new bins around its score in proportion to their nearness, so
  /// that the mean stays what it was.
  ///
  /// - Parameter count: New bins, at least 2.
  /// - Returns: Nil without votes.
  package func distribution(rebinnedTo count: Int) -> [Double]? {
    precondition(count >= 2, "\(count) bins")
    guard let shares = distribution else { return nil }
    guard count != shares.count, shares.count > 1 else { return shares }
    var result = [Double](repeating: 0, count: count)
    for (bin, share) in shares.enumerated() {
      let place = Double(bin) * Double(count - 1) / Double(shares.count - 1)
      let left = min(Int(place), count - 2)
      let right = place - Double(left)
      result[left] += share * (1 - right)
      result[left + 1] += share * right
    }
    return result
  }

  /// Standard deviation of the votes with n - 1; nil for fewer than two votes.
  package var sampleDeviation: Double? {
    guard let mean, total > 1 else { return nil }
    let squares = counts.enumerated().reduce(0.0) {
      let score = first + Double($1.offset) * step
      return $0 + Double($1.element) * (score - mean) * (score - mean)
    }
    return (squares / Double(total - 1)).squareRoot()
  }
}
