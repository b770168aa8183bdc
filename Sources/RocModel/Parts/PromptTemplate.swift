/// How questions and answers are spelled.
package protocol PromptTemplate: Sendable {
  /// What stands for a picture in a prompt.
  var mark: String { get }
  /// What stands between a question and its answer in a whole conversation.
  var answerStart: String { get }
  /// What stands after every answer; the tokenizer makes one token of it.
  var answerEnd: String { get }
  /// The prompt that asks `question` about one picture.
  func prompt(_ question: String) -> String
  /// The text of a whole conversation, from which the model is to learn its answers.
  ///
  /// - Parameter turns: In order, each with its picture mark where it is to stand.
  /// - Returns: The text; a turn without words leaves only its speaker's name, with nothing behind.
  func conversation(_ turns: [Turn]) -> String
}
