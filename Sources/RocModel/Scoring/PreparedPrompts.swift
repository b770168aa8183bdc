import RocTokenizer
import Synchronization

/// A prompt's token ids around the picture, the state after the text before it, and what the answer
/// is expected to be.
struct PreparedPrompt: Sendable {
  /// Before the picture, and after it.
  let prefixIDs: [Int]
  let suffix: [Int]
  /// Keys and values of the rows of `prefixIDs`.
  let prefix: KeyValueCache
  var draft: Draft
}

/// The prompts that a model was asked with lately: the text before a picture is the same for every
/// picture, so it is run once.
final class PreparedPrompts: Sendable {
  private let parts: ModelParts
  private let known = Mutex<[String: PreparedPrompt]>([:])
  private let prefixes = Mutex<[[Int]: KeyValueCache]>([:])

  /// Questions that are no longer asked must not pile up.
  private static let most = 64
  /// All questions of a template share the text before the picture.
  private static let mostPrefixes = 4

  init(_ parts: ModelParts) { self.parts = parts }

  /// - Parameter text: A prompt with one picture mark.
  /// - Returns: The prompt, ready to be asked about a picture.
  /// - Throws: `ModelError.request` for a prompt that is too long or has other than one mark.
  func prompt(_ text: String) throws(ModelError) -> PreparedPrompt {
    if let found = known.withLock({ $0[text] }) { return found }
    let ids = parts.template.ids(text, parts.tokenizer)
    // Counted in tokens: as characters, a mark may hide behind an accent.
    guard ids.filter({ $0 == Engine.imageID }).count == 1 else {
      throw .request(
        "the question must not contain \(parts.template.mark); the picture stands before it")
    }
    let prefixIDs = Array(ids.prefix { $0 != Engine.imageID })
    let suffix = Array(ids.dropFirst(prefixIDs.count + 1))
    let length = prefixIDs.count + parts.pictureRows + suffix.count
    guard length < parts.language.maxPositions else {
      throw .request(
        """
        the prompt takes \(length) positions and the model has \
        \(parts.language.maxPositions); shorten the question
        """)
    }
    let expected = parts.tokenizer.encodeWithoutBegin(Engine.defaultAnswer)
    let prompt = PreparedPrompt(
      prefixIDs: prefixIDs, suffix: suffix, prefix: prefix(prefixIDs),
      draft: Draft(expected: expected + parts.endIDs.prefix(1)))
    known.withLock { known in
      if known.count >= Self.most { known.removeAll() }
      known[text] = prompt
    }
    return prompt
  }

  /// Expects the next answer to a prompt to be like this one.
  func learn(_ answer: [Int], to text: String) {
    known.withLock { $0[text]?.draft.update(answer) }
  }

  private func prefix(_ ids: [Int]) -> KeyValueCache {
    if let known = prefixes.withLock({ $0[ids] }) { return known }
    let cache = parts.language.makeCache(rows: ids.count)
    _ = parts.language.run(
      parts.language.embed(ids), [SequenceRows([.text(ids.count)], cache: cache, wanted: 0)],
      trace: nil)
    prefixes.withLock { prefixes in
      if prefixes.count >= Self.mostPrefixes { prefixes.removeAll() }
      prefixes[ids] = cache
    }
    return cache
  }
}
