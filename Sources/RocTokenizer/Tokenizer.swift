/// Text to token ids and back, as a checkpoint's own tokenizer does it.
package protocol Tokenizer: Sendable {
  /// Pieces and added tokens.
  var count: Int { get }
  var largestID: Int { get }
  /// What stands before every text; nil where nothing does.
  var beginID: Int? { get }
  /// What ends a text by the tokenizer's own settings.
  var endID: Int? { get }
  /// What pieces outside the vocabulary become; nil for tokenizers that have a token for every byte.
  var unknownID: Int? { get }
  /// Whether every stretch of text between added tokens gets a blank of its own in front; slow LLaMA
  /// tokenizers with `legacy: false` give it to the first one only.
  var isLegacy: Bool { get }

  /// The id of an added token or of a piece.
  func id(of text: String) -> Int?
  /// Token ids, with what the settings put around every text.
  func encode(_ text: String) -> [Int]
  /// Text of ids.
  ///
  /// - Parameters:
  ///   - ids: Ids below `count`.
  ///   - skipSpecial: Leaves special tokens out, such as those that begin and end a text.
  /// - Returns: The text.
  func decode(_ ids: [Int], skipSpecial: Bool) -> String
}

extension Tokenizer {
  package var isLegacy: Bool { true }

  package func decode(_ ids: [Int]) -> String { decode(ids, skipSpecial: true) }

  /// Token ids without the one that begins every text.
  package func encodeWithoutBegin(_ text: String) -> [Int] {
    Array(encode(text).drop { $0 == beginID })
  }

  /// Ids of a prompt whose picture marks become `imageID`; each stretch is tokenized by itself and
  /// only the first keeps its begin-of-text token.
  ///
  /// - Parameters:
  ///   - text: The prompt.
  ///   - mark: The picture mark, `<|image|>`.
  ///   - imageID: What stands for a picture, -200 in the official code.
  /// - Returns: Token ids.
  package func encode(_ text: String, splitAt mark: String, imageID: Int) -> [Int] {
    let chunks = text.stretches(between: mark).map { $0.isEmpty ? [] : encode($0) }
    let begins = beginID != nil && chunks.first?.first == beginID
    let skip = begins ? 1 : 0
    var ids = Array((chunks.first ?? []).prefix(skip))
    for (i, chunk) in chunks.enumerated() {
      if i > 0 { ids.append(imageID) }
      ids += chunk.dropFirst(skip)
    }
    return ids
  }
}
