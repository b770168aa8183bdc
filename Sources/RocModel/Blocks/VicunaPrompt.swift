/// The conversation template "v1" of Vicuna, which LLaVA-1.5, mPLUG-Owl2 and ROC4MLLM were trained
/// with.
struct VicunaPrompt: PromptTemplate {
  /// The system text, which says "curious user".
  ///
  /// Templates of the same name elsewhere say "curious human": the mplug_owl2 template, which
  /// ROC4MLLM does not use, and LLaVA's "llava_v1" for inference.
  static let system = """
    A chat between a curious user and an artificial intelligence assistant. The assistant gives \
    helpful, detailed, and polite answers to the user's questions.
    """

  let mark: String
  /// As in `CountedTeaching`.
  var countsLaterRoundsShorter = false
  let spelling = PictureSpelling.cut

  func prompt(_ question: String) -> String {
    "\(Self.system) USER: \(mark)\n\(question) ASSISTANT:"
  }

  func prompt(_ question: String, opening: String) -> String {
    "\(prompt(question)) \(opening)"
  }

  var teaching: Teaching {
    .counted(
      CountedTeaching(
        answerStart: " ASSISTANT: ", answerEnd: "</s>",
        countsLaterRoundsShorter: countsLaterRoundsShorter
      ) { turns in
        turns.reduce("\(Self.system) ") { text, turn in
          let (name, end) =
            switch turn.role {
            case .human: ("USER", " ")
            case .gpt: ("ASSISTANT", "</s>")
            }
          return turn.text.isEmpty ? "\(text)\(name):" : "\(text)\(name): \(turn.text)\(end)"
        }
      })
  }
}
