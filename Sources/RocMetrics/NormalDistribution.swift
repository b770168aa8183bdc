#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard normal distribution.
package enum NormalDistribution {
  /// The probability of a value below `x`.
  package static func below(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// The value below which a share `p` lies; infinite for 0 and 1.
  ///
  /// Found by halving an interval, which takes 70 steps and is exact to the last digits; it is
  /// asked for a few times in a whole run.
  package static func quantile(_ p: Double) -> Double {
    guard p > 0 else { return -.infinity }
    guard p < 1 else { return .infinity }
    // The left tail keeps its digits, the right one is its mirror.
    guard p <= 0.5 else { return -quantile(1 - p) }
    var low = -40.0
    var high = 0.0
    for _ in 0..<70 {
      let middle = (low + high) / 2
      if below(middle) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The two-sided probability of a value at least as far from 0 as `z`.
  package static func twoSided(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }
}
