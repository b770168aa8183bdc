/// The chat template of `llava-hf`, which has no system text.
struct LLaVAPrompt: PromptTemplate {
  let mark = "<image>"
  let spelling: PictureSpelling

  init(imageID: Int) { spelling = .token(imageID) }

  func prompt(_ question: String) -> String { "USER: \(mark)\n\(question) ASSISTANT:" }

  func prompt(_ question: String, opening: String) -> String { "\(prompt(question)) \(opening)" }

  /// The template itself closes an answer with a blank; a taught one ends with `</s>`, which is
  /// what ends an answer when one is asked for.
  var teaching: Teaching {
    .continued(
      ContinuedTeaching(
        start: "", picture: "\(mark)\n", question: { "USER: \($0) ASSISTANT:" },
        answer: { " \($0)</s>" }))
  }
}
