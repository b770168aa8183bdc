package import RocModel
package import RocTokenizer

/// One conversation as the model learns it: token ids, and which of them it is to say itself.
///
/// Ids and labels are those of the official trainers; `Teaching.hiddenID` says what is hidden from
/// attention.
package struct TrainingText: Sendable, Equatable {
  /// `Engine.imageID` stands where the rows of the picture go, which come on top of `maxLength`.
  package let ids: [Int]
  /// What the model is to say at each place of `ids`, nil where that is not taught.
  ///
  /// The row before a place predicts it.
  package let labels: [Int?]
  /// The rounds do not add up to the whole, so no label can be trusted and all are nil.
  ///
  /// The official trainers of mPLUG-Owl2 and LLaVA print a warning, and the conversation teaches
  /// nothing. It happens to them when a turn holds a separator of the template or `<unk>`, when the
  /// last question has no answer, with tokenizers whose `</s>` swallows blanks when an answer ends
  /// in one, and with `legacy: false` from the second round on.
  package let isMismatched: Bool
  /// Tokens beyond `maxLength` were cut off, perhaps with what was to be taught.
  package let isTruncated: Bool

  /// Writes the conversation with the prompt template and finds its answers.
  ///
  /// - Parameters:
  ///   - turns: Questions and answers in turn, a question first; an answer before it is dropped.
  ///   - hasPicture: Whether picture marks stand for a picture; in a text without one they are text.
  ///   - template: The model's.
  ///   - tokenizer: The model's.
  ///   - maxLength: The most tokens, a picture counted as one.
  package init(
    turns: [Turn], hasPicture: Bool, template: any PromptTemplate, tokenizer: any Tokenizer,
    maxLength: Int
  ) {
    let asked = Array(turns.first?.role == .gpt ? turns.dropFirst() : turns[...])
    let encoding = Encoding(
      mark: hasPicture ? template.mark : nil, template: template, tokenizer: tokenizer)
    let taught =
      switch template.teaching {
      case .counted(let rules):
        Self.counted(asked, rules, encoding, maxLength)
      case .continued(let rules):
        Self.continued(asked, rules, encoding)
      }
    let kept = Array(taught.ids.prefix(max(maxLength, 0)))
    ids = kept
    labels = kept.enumerated().map { place, id in
      taught.isMismatched || id == Engine.imageID || !taught.isAnswer(place) ? nil : id
    }
    isMismatched = taught.isMismatched
    isTruncated = kept.count < taught.ids.count
  }

  /// The tokens of a conversation, and which of them are answers.
  private struct Taught {
    let ids: [Int]
    let isMismatched: Bool
    let isAnswer: (Int) -> Bool
  }

  /// How a conversation becomes token ids.
  private struct Encoding {
    /// What stands for the picture; nil in a conversation without one.
    let mark: String?
    let template: any PromptTemplate
    let tokenizer: any Tokenizer

    func ids(_ text: String) -> [Int] {
      mark == nil ? tokenizer.encode(text) : template.ids(text, tokenizer)
    }
  }

  private static func counted(
    _ turns: [Turn], _ rules: CountedTeaching, _ encoding: Encoding, _ maxLength: Int
  ) -> Taught {
    let (mark, tokenizer) = (encoding.mark, encoding.tokenizer)
    let text = rules.conversation(
      mark.map { mark in turns.map { $0.withLeading("\(mark)\n", alone: mark, mark) } } ?? turns)
    let all = encoding.ids(text)
    // The official code cuts conversations without a picture here, the others after the check.
    let counted = mark == nil ? Array(all.prefix(max(maxLength, 0))) : all
    let answers = Answers(text, rules, tokenizer, encode: encoding.ids)
    let visible = counted.count { $0 != tokenizer.unknownID }
    return Taught(
      ids: all, isMismatched: answers.end < maxLength && answers.end != visible,
      isAnswer: answers.contains)
  }

  /// Encodes each question with all before it, then the same with its answer: what is added is the
  /// answer.
  private static func continued(
    _ turns: [Turn], _ rules: ContinuedTeaching, _ encoding: Encoding
  ) -> Taught {
    let mark = encoding.mark
    var text = rules.start
    var ids: [Int] = []
    var answers: [Range<Int>] = []
    var isMismatched = false
    for turn in turns {
      switch turn.role {
      case .human:
        let asked = mark.map { turn.withLeading(rules.picture, alone: rules.picture, $0) } ?? turn
        text += rules.question(asked.text)
        ids = encoding.ids(text)
      case .gpt:
        text += rules.answer(turn.text)
        let whole = encoding.ids(text)
        // Where an answer changes the last piece of its question, the two cannot be told apart.
        if !whole.starts(with: ids) { isMismatched = true }
        answers.append(min(ids.count, whole.count)..<whole.count)
        text += rules.separator
        ids = encoding.ids(text)
        if !ids.starts(with: whole) { isMismatched = true }
      }
    }
    // A last question without an answer makes the whole conversation teach nothing.
    if turns.last?.role == .human { isMismatched = true }
    return Taught(ids: ids, isMismatched: isMismatched) { place in
      answers.contains { $0.contains(place) }
    }
  }

  /// How many tokens are taught.
  package var supervisedCount: Int { labels.count { $0 != nil } }

  /// Places of `ids` that stand for a picture.
  package var picturePositions: [Int] { ids.indices.filter { ids[$0] == Engine.imageID } }

  /// Places of `ids` at which `id` is taught; for `[SCORE]`, one for each score.
  package func positions(teaching id: Int) -> [Int] {
    labels.indices.filter { labels[$0] == id }
  }
}

/// Where the answers of a conversation stand among its tokens.
///
/// Questions and rounds are tokenized by themselves and only counted, as the official trainer does
/// it: with some texts the counts do not add up.
private struct Answers {
  private var questions: [Range<Int>] = []
  /// The first place after the last round; `<s>` stands before the first.
  private(set) var end = 1

  init(
    _ text: String, _ rules: CountedTeaching, _ tokenizer: any Tokenizer,
    encode: (String) -> [Int]
  ) {
    // LLaVA's code counts one less for every later round where a stretch has no blank of its own.
    let later = rules.countsLaterRoundsShorter && !tokenizer.isLegacy ? 1 : 0
    for (number, round) in text.stretches(between: rules.answerEnd).enumerated() {
      let halves = round.stretches(between: rules.answerStart)
      guard halves.count == 2 else { return }
      let less = number > 0 ? later : 0
      // Without <s>, and without the blank behind "ASSISTANT:", which joins the answer's first
      // piece.
      let question = encode(halves[0] + rules.answerStart).count - 2 - less
      questions.append(end..<end + max(question, 0))
      // The round's own <s> is counted in place of the </s> that follows it in the conversation.
      end += encode(round).count - less
    }
  }

  func contains(_ place: Int) -> Bool {
    place > 0 && place < end && !questions.contains { $0.contains(place) }
  }
}

extension Turn {
  /// The turn with its picture, where it has one, moved to its front.
  ///
  /// - Parameters:
  ///   - picture: How a picture is spelled before words.
  ///   - alone: How it is spelled where there are none.
  ///   - mark: The template's own mark; conversation files have mPLUG-Owl2's.
  /// - Returns: The turn, unchanged where it has no picture.
  fileprivate func withLeading(_ picture: String, alone: String, _ mark: String) -> Turn {
    let parts = text.stretches(between: "<|image|>").flatMap { $0.stretches(between: mark) }
    guard parts.count > 1 else { return self }
    let words = parts.joined().strippedOfPythonSpace
    return Turn(role, words.isEmpty ? alone : picture + words)
  }
}
