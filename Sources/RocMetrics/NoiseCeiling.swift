/// How well a perfect model could correlate with means of few votes.
///
/// The votes' own scatter says how far each mean lies from what many raters would give; what is left
/// of the means' variance is the pictures' own. With reliability ρ = var(true) / var(means) a model
/// that knew every true mean would reach PLCC √ρ (Spearman 1904, doi:10.2307/1412159); its SRCC is
/// simulated with true means shrunk by √ρ and noise of each picture's own size.
package struct NoiseCeiling: Sendable, Equatable {
  package let reliability: Double
  package let plcc: Double
  package let srcc: Double
  /// The mean number of votes of a picture.
  package let votes: Double

  /// Simulated ground truths; the ceiling's own error is far below 0.001 then.
  private static let rounds = 100

  /// - Parameters:
  ///   - histograms: Counts, one list a picture, all of the same bins.
  ///   - first: The score of the first bin.
  ///   - step: From one bin to the next.
  ///   - seed: Decides the simulation.
  ///
  /// Nil for fewer than three pictures with two votes or more, or means that vary no more than
  /// their noise.
  package init?(_ histograms: [[Int]], first: Double, step: Double, seed: UInt64) {
    var means: [Double] = []
    var errors: [Double] = []
    var total = 0
    for counts in histograms {
      let n = counts.reduce(0, +)
      guard n >= 2 else { continue }
      let scores = counts.indices.map { first + Double($0) * step }
      let center = zip(counts, scores).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(n)
      let squares = zip(counts, scores).reduce(0) {
        $0 + Double($1.0) * ($1.1 - center) * ($1.1 - center)
      }
      means.append(center)
      errors.append((squares / Double(n - 1) / Double(n)).squareRoot())
      total += n
    }
    guard means.count >= 3 else { return nil }
    let center = mean(means)
    let spread = mean(means.map { ($0 - center) * ($0 - center) })
    let noise = mean(errors.map { $0 * $0 })
    guard spread > noise else { return nil }
    let reliability = (spread - noise) / spread
    let truth = means.map { center + ($0 - center) * reliability.squareRoot() }
    var random = RandomStream(seed: seed)
    let ranks = averageRanks(truth)
    var sum = 0.0
    for _ in 0..<Self.rounds {
      let seen = zip(truth, errors).map { $0 + $1 * random.normal() }
      sum += Correlation.pearson(ranks, averageRanks(seen)) ?? 0
    }
    self.reliability = reliability
    plcc = reliability.squareRoot()
    srcc = sum / Double(Self.rounds)
    votes = Double(total) / Double(means.count)
  }
}
