package import RocScore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// DeQA-Score's soft label of one picture: probabilities of five levels whose mean is the score.
///
/// The algorithm is that of `build_soft_labels/gen_soft_label.py`
/// (https://github.com/zhiyuanyou/DeQA-Score); probabilities run from excellent to bad.
package struct SoftLabel: Sendable, Equatable {
  /// Where a level's probability comes from.
  package enum Density: String, Sendable, CaseIterable {
    /// The normal density at the level (KonIQ, KADID).
    case pdf
    /// The normal probability of the interval around it (SPAQ).
    case cdf
  }

  /// The score and its deviation on 1…5.
  package let score: Double
  package let deviation: Double?
  /// Before the mean was adjusted; nil without a deviation.
  package let original: [Double]?
  package let probabilities: [Double]
  package let level: QualityLevel
  /// Whether the two neighbouring levels share all probability.
  package let isBinary: Bool
  /// Whether the score is so near the middle of the scale that the upstream formula divides 0 by 0
  /// and gives 0.2 five times; the density itself has the right mean there, by symmetry.
  package let isCentral: Bool

  private static let leastDeviation = 0.2
  private static let largestDifference = 0.1

  /// - Parameters:
  ///   - score: On the dataset's scale.
  ///   - deviation: Of the raters, with n - 1; nil where it is not known.
  ///   - range: Lowest and highest score of all pictures.
  ///   - density: How probabilities are made.
  ///   - isUpstream: Keeps the upstream formula at the middle of the scale, too.
  package init(
    score: Double, deviation: Double?, range: ScoreRange, density: Density,
    isUpstream: Bool = false
  ) {
    let mean = 4 * (score - range.low) / range.width + 1
    self.score = mean
    self.deviation = deviation.map { 4 * $0 / range.width }
    level = Self.level(score, range)
    guard let spread = self.deviation, spread > 0 else {
      original = nil
      probabilities = Self.binary(mean)
      isBinary = true
      isCentral = false
      return
    }
    let levels: [Double] = [5, 4, 3, 2, 1]
    let raw = levels.map { level in
      switch density {
      case .pdf:
        exp(-0.5 * ((level - mean) / spread) * ((level - mean) / spread))
          / (spread * (2 * Double.pi).squareRoot())
      case .cdf:
        Self.below((level + 0.5 - mean) / spread) - Self.below((level - 0.5 - mean) / spread)
      }
    }
    let sum = raw.reduce(0, +)
    let first = zip(levels, raw).reduce(0) { $0 + $1.0 * $1.1 }
    // Both sides of the ratio vanish at the middle, where the 1e-9 below decides the result; this
    // close to it, the 1e-9 shifts alpha by more than a thousandth.
    isCentral = abs(mean - 3) < 1e-6
    let alpha = (mean - 3) / (first - 3 * sum + 1e-9)
    let beta = (1 - alpha * sum) / 5
    let adjusted =
      isCentral && !isUpstream
      ? raw.map { $0 / sum } : raw.map { max(alpha * $0 + beta, 0) }
    let reached = zip(levels, adjusted).reduce(0) { $0 + $1.0 * $1.1 }
    original = raw
    isBinary = spread < Self.leastDeviation || abs(reached - mean) > Self.largestDifference
    probabilities = isBinary ? Self.binary(mean) : adjusted
  }

  private static func below(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// All probability on the levels left and right of the score.
  private static func binary(_ score: Double) -> [Double] {
    let epsilon = 1e-8
    var result = [Double](repeating: 0, count: 5)
    for i in 1...4 {
      let left = Double(i) - epsilon
      let right = Double(i + 1) + epsilon
      guard left <= score, score < right else { continue }
      result[i - 1] = (right - score) / (right - left)
      result[i] = (score - left) / (right - left)
      break
    }
    return result.reversed()
  }

  private static func level(_ score: Double, _ range: ScoreRange) -> QualityLevel {
    let epsilon = 1e-8
    for i in 1...5 {
      let low = range.low + Double(i - 1) / 5 * range.width - epsilon
      if low < score, score <= range.low + Double(i) / 5 * range.width + epsilon {
        return QualityLevel(rawValue: i) ?? .bad
      }
    }
    return score > range.high ? .excellent : .bad
  }
}
