#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Analytic 95 % confidence intervals.
package struct Interval: Sendable, Equatable {
  package let low: Double
  package let high: Double

  /// Whether both ends are numbers with something between them: one point is no interval.
  var isInformative: Bool { low.isFinite && high.isFinite && low < high }

  /// Kept within −1 and 1, which rounding may overstep slightly.
  var clamped: Interval { Interval(low: max(low, -1), high: min(high, 1)) }

  /// The 97.5 % point of the normal distribution.
  static let normalQuantile = 1.959963984540054

  /// A correlation through Fisher's z.
  ///
  /// - Parameters:
  ///   - correlation: In -1...1.
  ///   - error: Standard error of z.
  /// - Returns: Nil for a correlation of -1 or 1.
  static func fisher(_ correlation: Double, error: Double) -> Interval? {
    guard abs(correlation) < 1, error.isFinite else { return nil }
    let z = atanh(correlation)
    return Interval(
      low: tanh(z - normalQuantile * error), high: tanh(z + normalQuantile * error))
  }

  /// PLCC: variance of z is 1 / (n - 3) (Fisher 1921).
  package static func pearson(_ correlation: Double, count: Int) -> Interval? {
    count > 3 ? fisher(correlation, error: 1 / Double(count - 3).squareRoot()) : nil
  }

  /// SRCC: variance of z is (1 + r²/2) / (n - 3) (Bonett and Wright 2000,
  /// doi:10.1007/BF02294183).
  package static func spearman(_ correlation: Double, count: Int) -> Interval? {
    let variance = (1 + correlation * correlation / 2) / Double(count - 3)
    return count > 3 ? fisher(correlation, error: variance.squareRoot()) : nil
  }

  /// KRCC: variance of z is 0.437 / (n - 4) (Bonett and Wright 2000).
  package static func kendall(_ correlation: Double, count: Int) -> Interval? {
    count > 4 ? fisher(correlation, error: (0.437 / Double(count - 4)).squareRoot()) : nil
  }

  /// A mean, by the normal approximation with the sample standard deviation.
  package static func mean(_ values: [Double]) -> Interval? {
    guard values.count >= 2 else { return nil }
    let center = RocMetrics.mean(values)
    let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    let error = (squares / Double(values.count - 1) / Double(values.count)).squareRoot()
    return Interval(
      low: center - normalQuantile * error, high: center + normalQuantile * error)
  }

  /// A share of `count` items, after Wilson (1927).
  package static func share(_ share: Double, count: Int) -> Interval? {
    guard count > 0 else { return nil }
    let n = Double(count)
    let z = normalQuantile
    let center = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half =
      z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return Interval(low: center - half, high: center + half)
  }

  /// The square roots of both ends, as for RMSE from squared errors.
  var squareRoot: Interval {
    Interval(low: max(low, 0).squareRoot(), high: max(high, 0).squareRoot())
  }
}
