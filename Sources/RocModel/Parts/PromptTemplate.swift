package import RocTokenizer

/// How questions and answers are spelled.
package protocol PromptTemplate: Sendable {
  /// What stands for a picture in a prompt.
  var mark: String { get }
  /// How the tokenizer reads that mark.
  var spelling: PictureSpelling { get }
  /// What stands between a word and the one before it where a text is continued by a word.
  var wordSeparator: String { get }
  /// The prompt that asks `question` about one picture.
  func prompt(_ question: String) -> String
  /// A prompt whose answer begins with `opening`, to be continued by one word.
  func prompt(_ question: String, opening: String) -> String
  /// The token that ends an answer that is taught.
  var answerEnd: String { get }
  /// Whether a score is put between two blanks whatever stands there, as ROC4MLLM's assessor does;
  /// else a blank that is there is not doubled.
  var doublesBlanks: Bool { get }
  /// How conversations are taught.
  var teaching: Teaching { get }
}

/// How a picture's mark becomes the id that stands for its rows.
package enum PictureSpelling: Sendable, Equatable {
  /// The text is cut at the marks and each stretch tokenized separately, as
  /// `tokenizer_image_token` of LLaVA and mPLUG-Owl2 does.
  case cut
  /// The tokenizer has a token for it. Hugging Face's processors repeat it for every row of the
  /// picture; here it stands once.
  case token(Int)
}

extension PromptTemplate {
  package var wordSeparator: String { "" }
  package var answerEnd: String { "</s>" }
  package var doublesBlanks: Bool { false }

  /// Token ids of a prompt; `Engine.imageID` stands for each picture.
  package func ids(_ text: String, _ tokenizer: any Tokenizer) -> [Int] {
    switch spelling {
    case .cut: tokenizer.encode(text, splitAt: mark, imageID: Engine.imageID)
    case .token(let id): tokenizer.encode(text).map { $0 == id ? Engine.imageID : $0 }
    }
  }
}
