/// The conversation template "v1" that ROC4MLLM is trained and asked with.
///
/// The system text says "curious user"; the mplug_owl2 template, which says "curious human", is
/// not used by the official code.
package struct OwlPrompt: PromptTemplate {
  static let system = """
    A chat between a curious user and an artificial intelligence assistant. The assistant gives \
    helpful, detailed, and polite answers to the user's questions.
    """
  /// What stands between a question and its answer in a whole conversation.
  package static let answerStart = " ASSISTANT: "
  /// What stands after every answer; the tokenizer makes one token of it.
  package static let answerEnd = "</s>"

  package let mark = "<|image|>"

  package init() {}

  package func prompt(_ question: String) -> String {
    "\(Self.system) USER: \(mark)\n\(question) ASSISTANT:"
  }

  /// The text of a whole conversation, from which the model is to learn its answers.
  ///
  /// - Parameter turns: In order, each with its picture mark where it is to stand.
  /// - Returns: The text; a turn without words leaves only its speaker's name, with nothing behind.
  package func conversation(_ turns: [Turn]) -> String {
    turns.reduce("\(Self.system) ") { text, turn in
      let (name, end) =
        switch turn.role {
        case .human: ("USER", " ")
        case .gpt: ("ASSISTANT", Self.answerEnd)
        }
      return turn.text.isEmpty ? "\(text)\(name):" : "\(text)\(name): \(turn.text)\(end)"
    }
  }
}
