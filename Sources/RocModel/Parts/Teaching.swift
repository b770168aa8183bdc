package import RocTokenizer

/// How the text of a conversation is written and which of its tokens a model is taught.
package enum Teaching: Sendable {
  /// As LLaVA's `preprocess_v1`, which mPLUG-Owl2 took over: rounds end with `answerEnd`, questions
  /// with `answerStart`, and both are tokenized separately and only counted.
  case counted(CountedTeaching)
  /// The text of all turns is the prompt of the first ones followed by a continuation, whose tokens
  /// are taught.
  case continued(ContinuedTeaching)

  /// The token that is hidden from attention wherever it stands: the official trainers pad batches
  /// with `<unk>` and mask it, real ones included.
  package func hiddenID(_ tokenizer: any Tokenizer) -> Int? {
    if case .counted = self { tokenizer.unknownID } else { nil }
  }
}

/// What `preprocess_v1` knows of a conversation.
package struct CountedTeaching: Sendable {
  /// What stands between a question and its answer in a whole conversation.
  package let answerStart: String
  /// What stands after every answer; the tokenizer makes one token of it.
  package let answerEnd: String
  /// The text of a whole conversation; a turn without words leaves only its speaker's name.
  package let conversation: @Sendable ([Turn]) -> String
  /// Whether later rounds are counted one token shorter with tokenizers that are not `legacy`: LLaVA's
  /// code does, mPLUG-Owl2's older copy does not.
  package let countsLaterRoundsShorter: Bool

  package init(
    answerStart: String, answerEnd: String, countsLaterRoundsShorter: Bool = false,
    conversation: @escaping @Sendable ([Turn]) -> String
  ) {
    self.countsLaterRoundsShorter = countsLaterRoundsShorter
    self.answerStart = answerStart
    self.answerEnd = answerEnd
    self.conversation = conversation
  }
}

/// Texts of a conversation that continue one another.
package struct ContinuedTeaching: Sendable {
  /// What stands before the first turn.
  package let start: String
  /// A question with all that leads to its answer.
  package let question: @Sendable (String) -> String
  /// An answer as it follows its question, with what ends it.
  package let answer: @Sendable (String) -> String
  /// What follows an answer and is not taught.
  package let separator: String
  /// A picture in a question.
  package let picture: String

  package init(
    start: String, picture: String, separator: String = "",
    question: @escaping @Sendable (String) -> String,
    answer: @escaping @Sendable (String) -> String
  ) {
    self.start = start
    self.picture = picture
    self.separator = separator
    self.question = question
    self.answer = answer
  }
}
