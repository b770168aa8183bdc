package import RocScore

/// Where in the vocabulary scores are read, and what they mean.
package struct ScoreReadout: Sendable {
  /// `[SCORE]`.
  package let scoreID: Int
  /// The logits of the score tokens, from the lowest score to the highest.
  package let ids: Range<Int>
  package let axis: ScoreAxis

  package init(scoreID: Int, ids: Range<Int>, axis: ScoreAxis) {
    self.scoreID = scoreID
    self.ids = ids
    self.axis = axis
  }

  /// How many score tokens there are.
  package var tokens: Int { ids.count }

  /// The same tokens on another scale.
  package func onScale(low: Double, high: Double) -> ScoreReadout {
    ScoreReadout(
      scoreID: scoreID, ids: ids,
      axis: ScoreAxis(low: low, high: high, count: axis.values.count))
  }
}
