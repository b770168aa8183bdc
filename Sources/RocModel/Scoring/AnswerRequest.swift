/// What is asked about a picture, and how the answer is decoded.
package struct AnswerRequest: Sendable {
  /// Without the picture mark; the trained one by default.
  package var question: String
  /// Digits of the score in the text.
  package var decimals: Int
  /// Answer text that is given, not generated; it directly follows the prompt.
  package var opening: String
  /// Where generation stops at the latest.
  package var maxTokens: Int
  /// Tokens to verify with the prompt; those of the last answers when nil.
  ///
  /// The answer does not depend on them.
  package var draft: [Int]?

  package init(
    question: String = Engine.defaultQuestion, decimals: Int = 4, opening: String = "",
    maxTokens: Int = Engine.maxTokens, draft: [Int]? = nil
  ) {
    self.question = question
    self.decimals = decimals
    self.opening = opening
    self.maxTokens = maxTokens
    self.draft = draft
  }
}
