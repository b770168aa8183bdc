/// Qwen2-VL's chat template, which always has a system text.
struct Qwen2VLPrompt: PromptTemplate {
  let mark = "<|image_pad|>"
  let spelling: PictureSpelling
  /// A word and the blank before it are one piece.
  let wordSeparator = " "
  let answerEnd = "<|im_end|>"

  private static let start =
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"

  init(imageID: Int) { spelling = .token(imageID) }

  private var picture: String { "<|vision_start|>\(mark)<|vision_end|>" }

  private static func turn(_ question: String) -> String {
    "<|im_start|>user\n\(question)<|im_end|>\n<|im_start|>assistant\n"
  }

  func prompt(_ question: String) -> String {
    Self.start + Self.turn(picture + question)
  }

  func prompt(_ question: String, opening: String) -> String { prompt(question) + opening }

  /// The answer and `<|im_end|>` are taught, the line break after them is not.
  var teaching: Teaching {
    .continued(
      ContinuedTeaching(
        start: Self.start, picture: picture, separator: "\n", question: Self.turn,
        answer: { "\($0)<|im_end|>" }))
  }
}
