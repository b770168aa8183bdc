/// The scale of a dataset's scores.
package struct ScoreRange: Sendable, Hashable, CustomStringConvertible {
  package let low: Double
  package let high: Double

  package init(low: Double, high: Double) {
    precondition(low < high, "a score range from \(low) to \(high)")
    self.low = low
    self.high = high
  }

  /// `1:10`, whole numbers without a fraction.
  package var description: String { "\(Self.short(low)):\(Self.short(high))" }

  /// `1 to 10`.
  package var words: String { "\(Self.short(low)) to \(Self.short(high))" }

  /// A number without a fraction where it has none.
  package static func short(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? value.description
  }

  package var width: Double { high - low }

  package var middle: Double { (low + high) / 2 }

  package func contains(_ score: Double) -> Bool { score >= low && score <= high }

  /// The linear map that takes this range to `other`.
  package func map(_ score: Double, to other: ScoreRange) -> Double {
    guard self != other else { return score }
    let mapped = other.low + (score - low) * other.width / width
    // Rounding must not carry an end of one scale beyond the end of the other.
    return contains(score) ? min(max(mapped, other.low), other.high) : mapped
  }
}
