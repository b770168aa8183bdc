import RocCheckpoint
import RocJSON
import RocScore
import RocTokenizer

extension ScoreReadout {
  /// What config.json says of score tokens by their ids; nil where it says nothing of them.
  ///
  /// Rows may follow the last score token: tables of released models are longer than their
  /// tokenizers, so "the last N logits" are not the score tokens'.
  ///
  /// - Parameters:
  ///   - source: ROC4MLLM's keys at the top level of config.json. Ids that it leaves out are found
  ///     by the tokens' names.
  ///   - vocabulary: Rows of the logits.
  ///   - prefersFast: Whether the folder's `tokenizer.json` comes before its `tokenizer.model`.
  /// - Throws: `ModelError.checkpoint` for keys that contradict each other.
  init?(
    byID source: BackboneSource, vocabulary: Int, prefersFast: Bool
  ) throws(ModelError) {
    let config = source.config
    let keys = [
      "score_id", "output_first_id", "output_last_id", "img_token_num", "num_tokens", "min_score",
      "max_score",
    ]
    func has(_ key: String) -> Bool { !(config.json[key]?.isNull ?? true) }
    guard keys.contains(where: has) else { return nil }
    let low = try config.number("min_score")
    let high = try config.number("max_score")
    guard low < high, Float(low).isFinite, Float(high).isFinite else {
      throw .checkpoint(
        "\(config.place): min_score \(low) is not below max_score \(high), or too large")
    }
    let ids: (score: Int, first: Int, last: Int)
    if ["score_id", "output_first_id", "output_last_id"].allSatisfy(has) {
      // A score id of 0 would be a token that begins or pads texts.
      ids = (
        try config.size("score_id", most: 1 << 20),
        try config.size("output_first_id", most: 1 << 20),
        try config.size("output_last_id", most: 1 << 20)
      )
    } else {
      ids = try Self.named(source, prefersFast: prefersFast)
    }
    guard ids.first < ids.last, ids.score < vocabulary, ids.last < vocabulary,
      !(ids.first...ids.last).contains(ids.score)
    else {
      throw .checkpoint(
        """
        \(config.place): score_id \(ids.score) and score tokens \(ids.first) to \(ids.last) do not \
        fit \(vocabulary) rows of logits
        """)
    }
    let count = ids.last - ids.first + 1
    for key in ["img_token_num", "num_tokens"] where has(key) {
      let stated = try config.size(key)
      guard stated == count else {
        throw .checkpoint(
          """
          \(config.place): \(key) is \(stated), and the tokens \(ids.first) to \(ids.last) are \
          \(count)
          """)
      }
    }
    self.init(
      scoreID: ids.score, ids: ids.first..<ids.last + 1,
      axis: ScoreAxis(low: low, high: high, count: count))
  }

  /// The ids of `[SCORE]`, `[IMG0]` and so on in the tokenizer.
  private static func named(
    _ source: BackboneSource, prefersFast: Bool
  ) throws(ModelError) -> (score: Int, first: Int, last: Int) {
    let tokenizer: any Tokenizer
    do throws(TokenizerError) {
      tokenizer = try Tokenizers.read(
        folder: source.checkpoint.tokenizerFolder, prefersFast: prefersFast)
    } catch {
      throw .checkpoint(error.message)
    }
    var ids: [Int] = []
    while let id = tokenizer.id(of: "[IMG\(ids.count)]") { ids.append(id) }
    guard let score = tokenizer.id(of: "[SCORE]"), let first = ids.first, let last = ids.last,
      ids == Array(first...last)
    else {
      throw .checkpoint(
        """
        \(source.config.place): has no score_id, output_first_id and output_last_id, and the \
        tokenizer no [SCORE] with [IMG0], [IMG1] and so on one after another
        """)
    }
    return (score, first, last)
  }
}
