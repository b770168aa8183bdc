/// The metrics of weighted pairs: what a resample needs, without sorting it again.
///
/// A resample is n counts. Ranks of a resample follow from running sums of the counts over the order
/// that was sorted once, ties included; every other metric is a sum of fixed values weighted by
/// counts. Ranks are doubled, so that average ranks are whole numbers and the sums exact.
package struct Resampler: Sendable {
  /// What one resample gives; not a number where it is undefined.
  package struct Values: Sendable, Equatable {
    package var srcc = Double.nan
    package var plcc = Double.nan
    package var mae = Double.nan
    package var rmse = Double.nan
    package var accuracy = Double.nan
    package var emd1 = Double.nan
    package var emd2 = Double.nan

    /// By the keys of JSON output.
    package subscript(name: String) -> Double {
      switch name {
      case "srcc": srcc
      case "plcc": plcc
      case "mae": mae
      case "rmse": rmse
      case "accuracy": accuracy
      case "emd1": emd1
      case "emd2": emd2
      default: .nan
      }
    }

    package static let names = ["srcc", "plcc", "mae", "rmse", "accuracy", "emd1", "emd2"]
  }

  /// More would overflow the whole-number sums of squared ranks.
  package static let largest = 1_000_000

  package let count: Int
  /// Items in the order of their predictions, and where each run of equal predictions ends.
  let order: [Int32]
  let isLastOfTie: [Bool]
  /// The same for the ground truth.
  let truthOrder: [Int32]
  let truthIsLastOfTie: [Bool]
  /// p, g, p², g², pg (both centred), |p − g|, (p − g)², hit.
  private let terms: [SIMD8<Double>]
  /// EMD with r = 1 and r = 2; empty without distributions.
  private let distances: [SIMD2<Double>]

  /// - Parameters:
  ///   - pairs: Finite numbers; at most `largest`.
  ///   - threshold: Above it a score counts as good.
  package init(_ pairs: ScoredPairs, threshold: Double) {
    let p = pairs.predicted
    let g = pairs.truth
    count = p.count
    (order, isLastOfTie) = Self.sorted(p)
    (truthOrder, truthIsLastOfTie) = Self.sorted(g)
    let centerP = mean(p)
    let centerG = mean(g)
    terms = p.indices.map { i in
      let x = p[i] - centerP
      let y = g[i] - centerG
      let gap = p[i] - g[i]
      return SIMD8(
        x, y, x * x, y * y, x * y, abs(gap), gap * gap,
        (p[i] > threshold) == (g[i] > threshold) ? 1 : 0)
    }
    distances =
      pairs.hasComparableDistributions
      ? pairs.distributions.map {
        SIMD2(
          earthMoverDistance($0.predicted, $0.truth, power: 1),
          earthMoverDistance($0.predicted, $0.truth, power: 2))
      } : []
  }

  private static func sorted(_ values: [Double]) -> (order: [Int32], isLast: [Bool]) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    let isLast = order.indices.map { place in
      place + 1 == order.count || values[order[place + 1]] != values[order[place]]
    }
    return (order.map { Int32($0) }, isLast)
  }

  /// Room that a thread reuses for each resample.
  package struct Workspace {
    var ranks: [Int64]

    package init(_ resampler: Resampler) {
      ranks = Array(repeating: 0, count: resampler.count)
    }
  }

  /// The metrics of the items taken `counts` times each.
  ///
  /// - Parameters:
  ///   - counts: n numbers that sum to n.
  ///   - workspace: Of this resampler.
  /// - Returns: Equal to the metrics of the list with each item repeated.
  package func values(_ counts: [Int32], _ workspace: inout Workspace) -> Values {
    var result = Values()
    let n = Double(count)
    guard count > 0 else { return result }
    result.srcc = rankCorrelation(counts, &workspace.ranks)
    var sum = SIMD8<Double>.zero
    terms.withUnsafeBufferPointer { terms in
      counts.withUnsafeBufferPointer { counts in
        for i in 0..<terms.count { sum += terms[i] * Double(counts[i]) }
      }
    }
    let variances = (sum[2] - sum[0] * sum[0] / n) * (sum[3] - sum[1] * sum[1] / n)
    if variances > 0 {
      result.plcc = min(max((sum[4] - sum[0] * sum[1] / n) / variances.squareRoot(), -1), 1)
    }
    result.mae = sum[5] / n
    result.rmse = (sum[6] / n).squareRoot()
    result.accuracy = sum[7] / n
    if !distances.isEmpty {
      var total = SIMD2<Double>.zero
      for i in distances.indices { total += distances[i] * Double(counts[i]) }
      result.emd1 = total[0] / n
      result.emd2 = total[1] / n
    }
    return result
  }

  /// Pearson's correlation of the resample's average ranks.
  private func rankCorrelation(_ counts: [Int32], _ ranks: inout [Int64]) -> Double {
    var yy: Int64 = 0
    var xx: Int64 = 0
    var xy: Int64 = 0
    counts.withUnsafeBufferPointer { counts in
      ranks.withUnsafeMutableBufferPointer { ranks in
        Self.eachRank(truthOrder, truthIsLastOfTie, counts) { item, count, rank in
          ranks[item] = rank
          yy &+= count &* rank &* rank
        }
        Self.eachRank(order, isLastOfTie, counts) { item, count, rank in
          xx &+= count &* rank &* rank
          xy &+= count &* rank &* ranks[item]
        }
      }
    }
    // Doubled ranks have the mean n + 1.
    let n = Int64(count)
    let center = n &* (n + 1) &* (n + 1)
    let a = Double(xx - center)
    let b = Double(yy - center)
    guard a > 0, b > 0 else { return .nan }
    return min(max(Double(xy - center) / (a.squareRoot() * b.squareRoot()), -1), 1)
  }

  /// Calls `body` with each item, how often it was drawn, and twice its average rank.
  @inline(__always)
  private static func eachRank(
    _ order: [Int32], _ isLast: [Bool], _ counts: UnsafeBufferPointer<Int32>,
    _ body: (Int, Int64, Int64) -> Void
  ) {
    order.withUnsafeBufferPointer { order in
      isLast.withUnsafeBufferPointer { isLast in
        var below: Int64 = 0
        var start = 0
        while start < order.count {
          var end = start
          var size = Int64(counts[Int(order[start])])
          while !isLast[end] {
            end += 1
            size &+= Int64(counts[Int(order[end])])
          }
          let rank = 2 &* below &+ size &+ 1
          for place in start...end {
            let item = Int(order[place])
            body(item, Int64(counts[item]), rank)
          }
          below &+= size
          start = end + 1
        }
      }
    }
  }
}

extension ScoredPairs {
  /// Whether every pair has two distributions of the same bins.
  var hasComparableDistributions: Bool {
    !distributions.isEmpty && distributions.count == count
      && distributions.allSatisfy { $0.predicted.count == $0.truth.count && !$0.truth.isEmpty }
  }
}
