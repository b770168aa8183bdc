import RocData
import RocScore
import Testing

/// DeQA-Score's formula divides 0 by 0 at the middle of the scale.
struct SoftLabelCentreTests {
  private func label(_ score: Double, isUpstream: Bool = false) -> SoftLabel {
    SoftLabel(
      score: score, deviation: 0.6, range: ScoreRange(low: 1, high: 5), density: .pdf,
      isUpstream: isUpstream)
  }

  @Test func theMiddleHasTheDensityItself() {
    let middle = label(3)
    #expect(middle.isCentral && !middle.isBinary)
    #expect(abs(middle.probabilities.reduce(0, +) - 1) < 1e-12)
    let mean = zip([5.0, 4, 3, 2, 1], middle.probabilities).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(mean - 3) < 1e-12)
    #expect(middle.probabilities[2] > 0.5)
    #expect(middle.probabilities == middle.probabilities.reversed())
    // Labels nearby are not the same, as upstream stretches the density to reach their mean, but near.
    for near in [2.999, 3.001] {
      let other = label(near)
      #expect(!other.isCentral)
      for (a, b) in zip(other.probabilities, middle.probabilities) { #expect(abs(a - b) < 0.02) }
    }
  }

  @Test func upstreamKeepsItsHole() {
    let upstream = label(3, isUpstream: true)
    #expect(upstream.probabilities.allSatisfy { abs($0 - 0.2) < 1e-9 })
    #expect(label(4, isUpstream: true) == label(4))
  }
}
