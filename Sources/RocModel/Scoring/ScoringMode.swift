/// How a score is read from a model.
package enum ScoringMode: Sendable, Equatable {
  /// The expectation over the score tokens where the answer has `[SCORE]`.
  case scoreTokens(question: String)
  /// The expectation over five level words.
  case levels(LevelScoring)
}
