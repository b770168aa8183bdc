package import RocScore

/// Q-Align's five words for a score.
package enum QualityLevel: Int, Sendable, CaseIterable {
  case bad = 1
  case poor
  case fair
  case good
  case excellent

  package var word: String { "\(self)" }

  package init?(word: String) {
    guard let level = QualityLevel.allCases.first(where: { $0.word == word }) else { return nil }
    self = level
  }

  /// The first of five equal intervals whose upper end is not below the score; scores outside the
  /// range get the nearest level (Q-Align drops them).
  package init(_ score: Double, in range: ScoreRange) {
    let upper = (1...4).first { score <= range.low + Double($0) / 5 * range.width }
    self = QualityLevel(rawValue: upper ?? 5) ?? .excellent
  }

  /// The level on a scale on which low scores are good.
  package var reversed: QualityLevel { QualityLevel(rawValue: 6 - rawValue) ?? self }
}

/// What Q-Align's and DeQA-Score's records ask and answer.
package enum LevelTask: String, Sendable, CaseIterable {
  case aesthetics
  case quality

  /// Taken in turn.
  package var questions: [String] {
    switch self {
    case .aesthetics: ["How would you rate the aesthetics of this image?"]
    case .quality:
      [
        "What do you think about the quality of this image?",
        "Can you rate the quality of this picture?",
        "Can you judge the quality of this image?",
        "How would you rate the quality of this image?",
        "How would you judge the quality of this image?",
        "What is your quality rating for this image?",
        "What's your opinion on the quality of this picture?",
        "Rate the quality of this image.",
        "Could you evaluate the quality of this image?",
        "How do you assess the quality of this image?",
      ]
    }
  }

  package func answer(_ level: QualityLevel) -> String {
    "The \(rawValue) of the image is \(level.word)."
  }
}
