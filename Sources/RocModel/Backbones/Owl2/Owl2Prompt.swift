/// The conversation template "v1" that ROC4MLLM is trained and asked with.
///
/// The system text says "curious user"; the mplug_owl2 template, which says "curious human", is
/// not used by the official code.
package struct Owl2Prompt: PromptTemplate {
  static let system = """
    A chat between a curious user and an artificial intelligence assistant. The assistant gives \
    helpful, detailed, and polite answers to the user's questions.
    """
  package let answerStart = " ASSISTANT: "
  package let answerEnd = "</s>"

  package let mark = "<|image|>"

  package init() {}

  package func prompt(_ question: String) -> String {
    "\(Self.system) USER: \(mark)\n\(question) ASSISTANT:"
  }

  package func conversation(_ turns: [Turn]) -> String {
    turns.reduce("\(Self.system) ") { text, turn in
      let (name, end) =
        switch turn.role {
        case .human: ("USER", " ")
        case .gpt: ("ASSISTANT", answerEnd)
        }
      return turn.text.isEmpty ? "\(text)\(name):" : "\(text)\(name): \(turn.text)\(end)"
    }
  }
}
