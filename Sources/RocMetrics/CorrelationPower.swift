#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Two correlations, and how many images tell them apart.
package struct CorrelationPower {
  /// r(p₁, g).
  package let first: Double

  /// r(p₂, g).
  package let second: Double

  /// r(p₁, p₂) for two models on the same images; nil for separate sets of images.
  package let between: Double?

  /// Which correlations these are; it decides the variance.
  package let kind: DependentCorrelations.Kind

  package init(
    _ first: Double, _ second: Double, between: Double?, kind: DependentCorrelations.Kind
  ) {
    self.first = first
    self.second = second
    self.between = between
    self.kind = kind
  }

  /// - Parameters:
  ///   - significance: Two-sided, such as 0.05.
  ///   - power: The chance of finding the difference, such as 0.8.
  /// - Returns: Images (of each set, where they are separate); nil where no number is enough.
  package func images(significance: Double = 0.05, power: Double = 0.8) -> Int? {
    let gap = atanh(first) - atanh(second)
    // Even without any difference, the test finds one with a chance equal to its level.
    guard gap != 0, gap.isFinite, power > significance else { return nil }
    let z = NormalDistribution.quantile(1 - significance / 2) + NormalDistribution.quantile(power)
    let n = 3 + z * z * variance / (gap * gap)
    guard n.isFinite, n < 1e18 else { return nil }
    return Int(n.rounded(.up))
  }

  /// The chance that `count` images show the difference.
  package func chance(count: Int, significance: Double = 0.05) -> Double? {
    guard count > 3 else { return nil }
    let gap = abs(atanh(first) - atanh(second))
    let error = (variance / Double(count - 3)).squareRoot()
    guard error > 0, gap.isFinite else { return nil }
    let limit = NormalDistribution.quantile(1 - significance / 2)
    return NormalDistribution.below(gap / error - limit)
      + NormalDistribution.below(-gap / error - limit)
  }

  /// The variance of the difference of Fisher's z, times n − 3.
  private var variance: Double {
    func single(_ r: Double) -> Double { kind == .pearson ? 1 : 1 + r * r / 2 }
    guard let c = between else { return single(first) + single(second) }
    let r = (first + second) / 2
    let covariance = c * (1 - 2 * r * r) - 0.5 * r * r * (1 - 2 * r * r - c * c)
    let together = covariance / ((1 - r * r) * (1 - r * r))
    return (2 - 2 * together) * single(r)
  }
}
