#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Two correlations with the same ground truth on the same images: r(p₁, g) and r(p₂, g).
///
/// For Spearman's coefficient the variance of Fisher's z is taken to be (1 + r²/2) times that of
/// Pearson's, after Bonett and Wright (2000).
package struct DependentCorrelations: Sendable, Equatable {
  package enum Kind: Sendable {
    case pearson
    case spearman
  }

  /// r(p₁, g).
  package let first: Double
  /// r(p₂, g).
  package let second: Double
  /// r(p₁, p₂).
  package let between: Double
  package let count: Int
  package let kind: Kind

  package init(first: Double, second: Double, between: Double, count: Int, kind: Kind) {
    self.first = first
    self.second = second
    self.between = between
    self.count = count
    self.kind = kind
  }

  /// How the Fisher z of both vary together: Dunn and Clark (1969) with the pooled r of Steiger.
  private func zCorrelation(_ a: Double, _ b: Double) -> Double {
    let c = between
    let covariance = c * (1 - a * a - b * b) - 0.5 * a * b * (1 - a * a - b * b - c * c)
    return covariance / ((1 - a * a) * (1 - b * b))
  }

  private func inflation(_ r: Double) -> Double { kind == .pearson ? 1 : 1 + r * r / 2 }

  /// Steiger's Z̄ (1980, doi:10.1037/0033-2909.87.2.245, equation 14), and its two-sided p.
  ///
  /// - Returns: Nil for fewer than four images or correlations of ±1.
  package var steiger: (z: Double, p: Double)? {
    guard count > 3, abs(first) < 1, abs(second) < 1, abs(between) < 1 else { return nil }
    let pooled = (first + second) / 2
    let together = zCorrelation(pooled, pooled)
    let variance = (2 - 2 * together) * inflation(pooled) / Double(count - 3)
    guard variance > 0 else { return nil }
    let z = (atanh(first) - atanh(second)) / variance.squareRoot()
    return (z, NormalDistribution.twoSided(z))
  }

  /// Zou's interval of the difference r(p₁, g) − r(p₂, g) (2007, doi:10.1037/1082-989X.12.4.399).
  package var zou: Interval? {
    guard let a = single(first), let b = single(second), abs(between) < 1 else { return nil }
    let (r, s, t) = (first, second, between)
    let together =
      ((t - 0.5 * r * s) * (1 - r * r - s * s - t * t) + t * t * t)
      / ((1 - r * r) * (1 - s * s))
    let gap = r - s
    let low =
      (r - a.low) * (r - a.low) + (b.high - s) * (b.high - s)
      - 2 * together * (r - a.low) * (b.high - s)
    let high =
      (a.high - r) * (a.high - r) + (s - b.low) * (s - b.low)
      - 2 * together * (a.high - r) * (s - b.low)
    return Interval(low: gap - max(low, 0).squareRoot(), high: gap + max(high, 0).squareRoot())
  }

  private func single(_ r: Double) -> Interval? {
    kind == .pearson
      ? Interval.pearson(r, count: count) : Interval.spearman(r, count: count)
  }
}

/// Two classifications of the same images.
package enum McNemar {
  /// The exact two-sided p of a division at least this unequal of the images on which just one is
  /// right (McNemar 1947); 1 where there are none.
  ///
  /// - Parameters:
  ///   - first: Images on which only the first is right.
  ///   - second: Images on which only the second is right.
  /// - Returns: At most 1.
  package static func exact(_ first: Int, _ second: Int) -> Double {
    let n = first + second
    guard n > 0 else { return 1 }
    var total = 0.0
    for k in 0...min(first, second) {
      let ways = lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
      total += exp(ways - Double(n) * log(2))
    }
    return min(1, 2 * total)
  }
}

/// Several tests at once.
package enum Holm {
  /// Holm's step-down adjustment (1979): the smallest p times the number of tests, and so on, never
  /// falling.
  package static func adjusted(_ p: [Double]) -> [Double] {
    let order = p.indices.sorted { p[$0] < p[$1] }
    var result = p
    var largest = 0.0
    for (k, i) in order.enumerated() {
      largest = max(largest, min(1, p[i] * Double(p.count - k)))
      result[i] = largest
    }
    return result
  }
}
