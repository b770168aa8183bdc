/// What a model says about one picture.
package struct Answer: Sendable, Equatable {
  /// The answer with its first `[SCORE]` replaced by the rounded score; later ones stay.
  package var text: String
  /// One score for each `[SCORE]`, on the model's own scale, unrounded.
  package var scores: [Double]
  /// The predicted vote histogram of each score.
  package var distributions: [[Double]]
  /// Generated tokens, `</s>` included.
  package var outputIDs: [Int]
  /// Positions in `outputIDs` where `[SCORE]` was emitted.
  package var scoreSteps: [Int]

  /// How likely each word of `LevelScoring.words` is; nil when score tokens were read.
  package var levels: [Double]?

  /// False when a logit was infinite or NaN; such an answer has no meaning.
  package var isFinite = true

  /// The first score; nil when the answer holds none.
  package var score: Double? { scores.first }
}
