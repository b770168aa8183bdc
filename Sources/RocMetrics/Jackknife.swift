/// Each metric with one item left out: n values each, in O(n log n) altogether.
///
/// Leaving an item out lowers the rank of every larger item by one and of every equal item by half,
/// so sums of ranks and of products of ranks change by sums over those items, which running sums
/// and counts of dominated points give.
package struct Jackknife: Sendable {
  package let srcc: [Double]
  package let plcc: [Double]
  package let krcc: [Double]
  package let mae: [Double]
  package let rmse: [Double]
  package let accuracy: [Double]
  package let emd1: [Double]
  package let emd2: [Double]

  /// - Parameters:
  ///   - pairs: At least three.
  ///   - threshold: Above it a score counts as good.
  package init(_ pairs: ScoredPairs, threshold: Double) {
    let p = pairs.predicted
    let g = pairs.truth
    let gaps = zip(p, g).map { abs($0 - $1) }
    mae = Self.means(gaps)
    rmse = Self.means(gaps.map { $0 * $0 }).map { $0.squareRoot() }
    accuracy = Self.means(zip(p, g).map { ($0 > threshold) == ($1 > threshold) ? 1 : 0 })
    plcc = Self.pearson(p, g)
    let dominance = Dominance(p, g)
    srcc = Self.spearman(p, g, dominance)
    krcc = Self.kendall(dominance)
    let hasDistances = pairs.hasComparableDistributions
    func distances(_ power: Int) -> [Double] {
      hasDistances
        ? Self.means(
          pairs.distributions.map {
            earthMoverDistance($0.predicted, $0.truth, power: power)
          }) : []
    }
    emd1 = distances(1)
    emd2 = distances(2)
  }

  package subscript(name: String) -> [Double] {
    switch name {
    case "srcc": srcc
    case "plcc": plcc
    case "krcc": krcc
    case "mae": mae
    case "rmse": rmse
    case "accuracy": accuracy
    case "emd1": emd1
    case "emd2": emd2
    default: []
    }
  }

  static func means(_ values: [Double]) -> [Double] {
    let total = mean(values) * Double(values.count)
    return values.map { (total - $0) / Double(values.count - 1) }
  }

  private static func pearson(_ p: [Double], _ g: [Double]) -> [Double] {
    let centerP = mean(p)
    let centerG = mean(g)
    let x = p.map { $0 - centerP }
    let y = g.map { $0 - centerG }
    let n = Double(p.count)
    var sums = SIMD8<Double>.zero
    for i in x.indices { sums += SIMD8(x[i], y[i], x[i] * x[i], y[i] * y[i], x[i] * y[i], 0, 0, 0) }
    return x.indices.map { i in
      let s = sums - SIMD8(x[i], y[i], x[i] * x[i], y[i] * y[i], x[i] * y[i], 0, 0, 0)
      return Sums(x: s[0], y: s[1], xx: s[2], yy: s[3], xy: s[4]).correlation(of: n - 1)
    }
  }

  /// Sums of two variables, of their squares and of their products.
  private struct Sums {
    let x, y, xx, yy, xy: Double

    /// Pearson's correlation of `n` pairs; NaN where one variable is constant.
    func correlation(of n: Double) -> Double {
      let variances = (xx - x * x / n) * (yy - y * y / n)
      return variances > 0 ? (xy - x * y / n) / variances.squareRoot() : .nan
    }
  }

  private static func spearman(_ p: [Double], _ g: [Double], _ dominance: Dominance) -> [Double] {
    let x = averageRanks(p)
    let y = averageRanks(g)
    let n = Double(p.count)
    let xx = x.reduce(0) { $0 + $1 * $1 }
    let yy = y.reduce(0) { $0 + $1 * $1 }
    let xy = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    // Σ over larger items, and half of the equal ones without the item itself, of a rank.
    let yAboveX = sumsAbove(p, of: y)
    let xAboveY = sumsAbove(g, of: x)
    let xAboveX = sumsAbove(p, of: x)
    let yAboveY = sumsAbove(g, of: y)
    return p.indices.map { i in
      // How far other items' ranks fall, summed, and squared and summed.
      let fallX = n - x[i]
      let fallY = n - y[i]
      let d = dominance.items[i]
      let largerX = Double(d.larger.x)
      let largerY = Double(d.larger.y)
      let squareX = largerX + 0.25 * Double(d.equal.x)
      let squareY = largerY + 0.25 * Double(d.equal.y)
      let both =
        Double(d.above) + 0.5 * Double(d.aboveX + d.aboveY) + 0.25 * Double(d.same)
      let sumX = n * (n + 1) / 2 - x[i] - fallX
      let sumY = n * (n + 1) / 2 - y[i] - fallY
      let sums = Sums(
        x: sumX, y: sumY, xx: xx - x[i] * x[i] - 2 * xAboveX[i] + squareX,
        yy: yy - y[i] * y[i] - 2 * yAboveY[i] + squareY,
        xy: xy - x[i] * y[i] - xAboveY[i] - yAboveX[i] + both)
      return sums.correlation(of: n - 1)
    }
  }

  /// For each item, the sum of `ranks` of all items with a larger value, and half of that of the
  /// other items with the same value.
  private static func sumsAbove(_ values: [Double], of ranks: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] > values[$1] }
    var result = [Double](repeating: 0, count: values.count)
    var above = 0.0
    var start = 0
    while start < order.count {
      var end = start
      var group = 0.0
      while end < order.count, values[order[end]] == values[order[start]] {
        group += ranks[order[end]]
        end += 1
      }
      for place in start..<end {
        result[order[place]] = above + 0.5 * (group - ranks[order[place]])
      }
      above += group
      start = end
    }
    return result
  }

  private static func kendall(_ dominance: Dominance) -> [Double] {
    let items = dominance.items
    let n = items.count
    // Each pair is counted from both of its ends.
    let score = items.reduce(0) { $0 + $1.score } / 2
    let tiedX = items.reduce(0) { $0 + $1.equal.x } / 2
    let tiedY = items.reduce(0) { $0 + $1.equal.y } / 2
    let pairs = (n - 1) * (n - 2) / 2
    return items.map { item in
      let x = Double(pairs - (tiedX - item.equal.x))
      let y = Double(pairs - (tiedY - item.equal.y))
      guard x > 0, y > 0 else { return .nan }
      return Double(score - item.score) / (x.squareRoot() * y.squareRoot())
    }
  }
}
