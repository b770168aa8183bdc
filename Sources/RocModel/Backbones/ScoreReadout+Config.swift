import RocJSON
import RocScore

extension ScoreReadout {
  /// No scale of people's scores goes further.
  private static let largestScore = 1e6

  /// What config.json says of score tokens; nil where it has none.
  ///
  /// - Parameters:
  ///   - config: config.json, with ROC4MLLM's keys at its top level.
  ///   - vocabulary: Rows of the logits, of which the last ones are the score tokens'.
  /// - Throws: `ModelError.checkpoint` for keys that contradict each other.
  init?(_ config: ConfigReader, vocabulary: Int) throws(ModelError) {
    let fields = ["score_id", "img_token_num", "num_tokens"]
    guard fields.contains(where: { !(config.json[$0]?.isNull ?? true) }) else { return nil }
    let scoreID = try config.size("score_id", most: 1 << 20)
    let tokens = try config.size("img_token_num")
    let count = try config.size("num_tokens")
    let low = try config.number("min_score")
    let high = try config.number("max_score")
    guard tokens == count else {
      throw .checkpoint(
        "\(config.place): img_token_num \(tokens) and num_tokens \(count) must be equal")
    }
    guard low < high, max(abs(low), abs(high)) <= Self.largestScore else {
      throw .checkpoint(
        """
        \(config.place): min_score \(low) is not below max_score \(high), or one is beyond \
        ±\(Int(Self.largestScore))
        """)
    }
    guard scoreID < vocabulary, tokens < vocabulary else {
      throw .checkpoint(
        """
        \(config.place): score_id \(scoreID) and img_token_num \(tokens) do not fit \
        vocab_size \(vocabulary)
        """)
    }
    self.init(
      scoreID: scoreID, ids: vocabulary - tokens..<vocabulary,
      axis: ScoreAxis(low: low, high: high, count: count))
  }
}
