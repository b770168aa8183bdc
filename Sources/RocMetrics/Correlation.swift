/// Correlations of predictions with ground truth; nil where they are undefined.
package enum Correlation {
  /// Pearson's linear correlation of raw values (PLCC), like scipy's `pearsonr`.
  ///
  /// - Returns: A value in -1...1; nil for fewer than two pairs or a constant list.
  package static func pearson(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "\(x.count) predictions for \(y.count) ground truths")
    guard x.count >= 2, !isConstant(x), !isConstant(y) else { return nil }
    let meanX = mean(x)
    let meanY = mean(y)
    // Centred values are scaled before they are multiplied, so that large ones do not overflow.
    let scaleX = x.reduce(0) { max($0, abs($1 - meanX)) }
    let scaleY = y.reduce(0) { max($0, abs($1 - meanY)) }
    var xy = 0.0
    var xx = 0.0
    var yy = 0.0
    for i in x.indices {
      let dx = (x[i] - meanX) / scaleX
      let dy = (y[i] - meanY) / scaleY
      xy += dx * dy
      xx += dx * dx
      yy += dy * dy
    }
    return min(max(xy / (xx.squareRoot() * yy.squareRoot()), -1), 1)
  }

  /// Spearman's rank correlation (SRCC): Pearson's of average ranks, like scipy's `spearmanr`.
  package static func spearman(_ x: [Double], _ y: [Double]) -> Double? {
    pearson(averageRanks(x), averageRanks(y))
  }

  /// Kendall's tau-b (KRCC), like scipy's `kendalltau`.
  ///
  /// - Complexity: O(n log n), after Knight (1966), doi:10.1080/01621459.1966.10480879.
  package static func kendall(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "\(x.count) predictions for \(y.count) ground truths")
    guard x.count >= 2, !isConstant(x), !isConstant(y) else { return nil }
    let order = x.indices.sorted { (x[$0], y[$0]) < (x[$1], y[$1]) }
    var sorted = order.map { y[$0] }
    let pairs = choose2(x.count)
    let tiesX = ties(order.map { x[$0] })
    let tiesBoth = jointTies(order.map { (x[$0], y[$0]) })
    let swaps = inversions(&sorted)
    let tiesY = ties(sorted)
    let concordantMinusDiscordant = pairs - tiesX - tiesY + tiesBoth - 2 * swaps
    return Double(concordantMinusDiscordant)
      / (Double(pairs - tiesX).squareRoot() * Double(pairs - tiesY).squareRoot())
  }

  private static func choose2(_ n: Int) -> Int { n * (n - 1) / 2 }

  /// Pairs of equal values in a sorted list.
  private static func ties(_ sorted: [Double]) -> Int {
    jointTies(sorted.map { ($0, 0) })
  }

  private static func jointTies(_ sorted: [(Double, Double)]) -> Int {
    var total = 0
    var run = 0
    for (i, value) in sorted.enumerated() {
      if i > 0, value == sorted[i - 1] {
        run += 1
        total += run
      } else {
        run = 0
      }
    }
    return total
  }

  /// Pairs out of order, counted while `values` is merge-sorted.
  private static func inversions(_ values: inout [Double]) -> Int {
    var source = values
    var target = values
    var count = 0
    var width = 1
    while width < values.count {
      for start in stride(from: 0, to: values.count, by: 2 * width) {
        let middle = min(start + width, values.count)
        let end = min(start + 2 * width, values.count)
        var left = start
        var right = middle
        for place in start..<end {
          if left < middle, right >= end || source[left] <= source[right] {
            target[place] = source[left]
            left += 1
          } else {
            count += middle - left
            target[place] = source[right]
            right += 1
          }
        }
      }
      swap(&source, &target)
      width *= 2
    }
    values = source
    return count
  }
}

/// The mean, summed with Neumaier's compensation; 0 for an empty list.
package func mean(_ values: [Double]) -> Double {
  guard !values.isEmpty else { return 0 }
  var sum = 0.0
  var lost = 0.0
  for value in values {
    let next = sum + value
    lost += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
    sum = next
  }
  return (sum + lost) / Double(values.count)
}

/// The population standard deviation (divided by n).
package func populationDeviation(_ values: [Double]) -> Double {
  let center = mean(values)
  return mean(values.map { ($0 - center) * ($0 - center) }).squareRoot()
}

func isConstant(_ values: [Double]) -> Bool { values.allSatisfy { $0 == values[0] } }

/// How far apart values are that would be equal but for rounding; nil for values that are equal or
/// really differ.
///
/// 1e-12 of the largest is thousands of times what a sum of doubles loses, and a hundred thousandth of
/// the last digit of a float.
func roundingSpread(_ values: [Double]) -> Double? {
  guard let low = values.min(), let high = values.max(), low < high, (high - low).isFinite,
    high - low <= 1e-12 * max(abs(low), abs(high))
  else { return nil }
  return high - low
}
