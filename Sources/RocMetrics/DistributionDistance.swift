#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Distances other than EMD of a predicted vote distribution p from the true one q over the same
/// bins.
package enum DistributionDistance {
  /// exp(x) / Σ exp(x), shifted by the largest so that nothing overflows.
  package static func softmax(_ logits: [Double]) -> [Double] {
    let largest = logits.max() ?? 0
    let weights = logits.map { exp($0 - largest) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// 1 / (1 + exp(−x)).
  package static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// Kullback and Leibler's divergence of p from q, Σ q ln(q / p); infinite where p is 0 and q is
  /// not.
  package static func kl(_ p: [Double], _ q: [Double]) -> Double {
    zip(p, q).reduce(0) { sum, pair in
      let (p, q) = pair
      return q > 0 ? sum + q * log(q / p) : sum
    }
  }

  /// Jensen and Shannon's divergence, the mean divergence from (p + q) / 2; at most ln 2.
  package static func js(_ p: [Double], _ q: [Double]) -> Double {
    let middle = zip(p, q).map { ($0 + $1) / 2 }
    return (kl(middle, p) + kl(middle, q)) / 2
  }

  /// The continuous ranked probability score of p for the votes q: Σ (CDF_p − CDF_q)² · step (Matheson
  /// and Winkler 1976), which for one vote is the usual score and for q as a whole leaves out the
  /// votes' own spread.
  package static func crps(_ p: [Double], _ q: [Double], step: Double) -> Double {
    var gap = 0.0
    var total = 0.0
    for (a, b) in zip(p, q) {
      gap += a - b
      total += gap * gap
    }
    return total * step
  }
}

/// Means over images of the distances other than EMD between predicted and true vote
/// distributions.
package struct DistributionMetrics: Sendable, Equatable {
  /// Nil where a predicted bin of 0 has votes.
  package let kl: Double?
  package let js: Double
  /// In bins.
  package let crps: Double

  /// - Parameter pairs: Over equal bins; anything else gives nil.
  package init?(_ pairs: [(predicted: [Double], truth: [Double])]) {
    guard !pairs.isEmpty,
      pairs.allSatisfy({ $0.predicted.count == $0.truth.count && !$0.truth.isEmpty })
    else { return nil }
    let divergence = mean(pairs.map { DistributionDistance.kl($0.predicted, $0.truth) })
    kl = divergence.isFinite ? divergence : nil
    js = mean(pairs.map { DistributionDistance.js($0.predicted, $0.truth) })
    crps = mean(pairs.map { DistributionDistance.crps($0.predicted, $0.truth, step: 1) })
  }
}
