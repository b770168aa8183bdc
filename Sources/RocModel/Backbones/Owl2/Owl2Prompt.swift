/// Vicuna's template with mPLUG-Owl2's picture mark, and Q-Align's prompt for levels.
package struct Owl2Prompt: PromptTemplate {
  private let vicuna = VicunaPrompt(mark: "<|image|>")

  package let doublesBlanks = true

  package init() {}

  package var mark: String { vicuna.mark }
  package var spelling: PictureSpelling { vicuna.spelling }
  package var teaching: Teaching { vicuna.teaching }

  package func prompt(_ question: String) -> String { vicuna.prompt(question) }

  /// Without system text, and with the picture after the question.
  package func prompt(_ question: String, opening: String) -> String {
    "USER: \(question)\n\(mark)\nASSISTANT: \(opening)"
  }
}
