import RocFiles

/// The kinds of tokenizer that a checkpoint's folder may hold.
package enum Tokenizers {
  /// Reads the tokenizer of a folder.
  ///
  /// Many folders hold both kinds, and they differ in small things: which one counts is up to the
  /// network that was trained with it. A tokenizer that is refused is not replaced by the other.
  ///
  /// - Parameters:
  ///   - folder: A checkpoint's folder.
  ///   - prefersFast: Whether `tokenizer.json` (or `vocab.json` with `merges.txt`) comes before
  ///     `tokenizer.model`.
  ///   - statesTokens: Whether `added_tokens_decoder` is used along with `tokenizer.model`, as from
  ///     transformers 4.34 on; a network that is pinned to an older version does not see it.
  /// - Returns: The tokenizer.
  /// - Throws: `TokenizerError` for a folder without one, and what its reader says.
  package static func read(
    folder: String, prefersFast: Bool, statesTokens: Bool = true
  ) throws(TokenizerError) -> any Tokenizer {
    func has(_ name: String) -> Bool { fileExists("\(folder)/\(name)") }
    let isFast = has("tokenizer.json") || has("vocab.json") && has("merges.txt")
    let isSlow = has("tokenizer.model")
    guard isFast || isSlow else {
      throw TokenizerError(
        "\(folder): no tokenizer.json, no vocab.json with merges.txt, no tokenizer.model")
    }
    if isFast, prefersFast || !isSlow { return try FastTokenizer(folder: folder) }
    return try SentencePieceTokenizer(folder: folder, statesTokens: statesTokens)
  }
}
