/// The conversation template "v1" that ROC4MLLM is trained and asked with.
///
/// The system text says "curious user"; the mplug_owl2 template, which says "curious human", is
/// not used by the official code.
struct OwlPrompt: PromptTemplate {
  static let system = """
    A chat between a curious user and an artificial intelligence assistant. The assistant gives \
    helpful, detailed, and polite answers to the user's questions.
    """

  let mark = "<|image|>"

  func prompt(_ question: String) -> String {
    "\(Self.system) USER: \(mark)\n\(question) ASSISTANT:"
  }
}
