/// Bias-corrected and accelerated bootstrap intervals (Efron 1987, doi:10.1080/01621459.1987.10478410;
/// Efron and Tibshirani 1993, chapter 14.3), as `scipy.stats.bootstrap` computes them.
package enum BCa {
  /// - Parameters:
  ///   - estimate: The statistic of the data.
  ///   - replicates: The statistic of each resample; those that are not a number are left out.
  ///   - jackknife: The statistic of the data with each item left out in turn.
  ///   - confidence: Such as 0.95.
  /// - Returns: Nil when a twentieth of the replicates or more are undefined, all lie on one side, or
  ///   all are equal, which says nothing about other samples.
  package static func interval(
    estimate: Double, replicates: [Double], jackknife: [Double], confidence: Double = 0.95
  ) -> Interval? {
    let defined = replicates.filter(\.isFinite).sorted()
    guard estimate.isFinite, defined.count >= 20, defined.count * 20 > replicates.count * 19 else {
      return nil
    }
    guard defined[0] < defined[defined.count - 1] else { return nil }
    // Replicates equal to the estimate count half on each side.
    let below = defined.partitioningIndex { $0 >= estimate }
    let notAbove = defined.partitioningIndex { $0 > estimate }
    let share = Double(below + notAbove) / Double(2 * defined.count)
    let bias = NormalDistribution.quantile(share)
    let acceleration = acceleration(jackknife)
    guard bias.isFinite, acceleration.isFinite else { return nil }
    func level(_ z: Double) -> Double {
      NormalDistribution.below(bias + (bias + z) / (1 - acceleration * (bias + z)))
    }
    let z = NormalDistribution.quantile((1 - confidence) / 2)
    return Interval(low: quantile(defined, level(z)), high: quantile(defined, level(-z)))
  }

  /// Σ(m − x)³ / (6 (Σ(m − x)²)^1.5) with m the mean of the jackknife's values; 0 where they are
  /// all equal.
  static func acceleration(_ jackknife: [Double]) -> Double {
    let values = jackknife.filter(\.isFinite)
    let center = mean(values)
    var squares = 0.0
    var cubes = 0.0
    // Scaled by the largest, so that differences of 1e-6 do not vanish in their cubes.
    let largest = values.reduce(0) { max($0, abs(center - $1)) }
    guard largest > 0 else { return 0 }
    for value in values {
      let gap = (center - value) / largest
      squares += gap * gap
      cubes += gap * gap * gap
    }
    return cubes / (6 * squares * squares.squareRoot())
  }

  /// A quantile of sorted values, linear between them (numpy's default, Hyndman and Fan's type 7).
  package static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = min(max(share, 0), 1) * Double(sorted.count - 1)
    let low = Int(place)
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
  }
}

extension Array {
  /// The first place from which `isBeyond` holds; the array must be partitioned by it.
  func partitioningIndex(_ isBeyond: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
