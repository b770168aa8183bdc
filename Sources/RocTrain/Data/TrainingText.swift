package import RocModel
package import RocTokenizer

/// One conversation as the model learns it: token ids, and which of them it is to say itself.
///
/// Ids and labels are those of the official trainer. It pads batches with `<unk>` and hides every
/// `<unk>` from attention, real ones included: row i is seen where `ids[i]` is not
/// `tokenizer.unknownID`.
package struct TrainingText: Sendable, Equatable {
  /// `Engine.imageID` stands where the rows of the picture go, which come on top of `maxLength`.
  package let ids: [Int]
  /// What the model is to say at each place of `ids`, nil where that is not taught.
  ///
  /// The row before a place predicts it.
  package let labels: [Int?]
  /// The rounds do not add up to the whole, so no label can be trusted and all are nil.
  ///
  /// The official trainer prints a warning, and the conversation teaches nothing. It happens when a
  /// turn holds a separator of the template or `<unk>`, when the last question has no answer, with
  /// tokenizers whose `</s>` swallows blanks when an answer ends in one, and with `legacy: false`
  /// from the second round on.
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
    func encode(_ text: String) -> [Int] {
      hasPicture
        ? tokenizer.encode(text, splitAt: template.mark, imageID: Engine.imageID)
        : tokenizer.encode(text)
    }
    let asked = turns.first?.role == .gpt ? turns.dropFirst() : turns[...]
    let text = template.conversation(
      hasPicture ? asked.map { $0.withLeading(template.mark) } : Array(asked))
    let all = encode(text)
    let kept = Array(all.prefix(max(maxLength, 0)))
    // The official code cuts conversations without a picture here, the others after the check.
    let counted = hasPicture ? all : kept

    let answers = Answers(text, template, encode: encode)
    let visible = counted.count { $0 != tokenizer.unknownID }
    let isMismatched = answers.end < maxLength && answers.end != visible
    ids = kept
    labels = kept.enumerated().map { place, id in
      isMismatched || id == Engine.imageID || !answers.contains(place) ? nil : id
    }
    self.isMismatched = isMismatched
    isTruncated = kept.count < all.count
  }

  /// How many tokens are taught.
  package var supervisedCount: Int { labels.count { $0 != nil } }

  /// Places of `ids` that stand for a picture.
  package var picturePositions: [Int] { ids.indices.filter { ids[$0] == Engine.imageID } }

  /// Places of `ids` at which `id` is taught; of `[SCORE]`, one for each score.
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

  init(_ text: String, _ template: any PromptTemplate, encode: (String) -> [Int]) {
    for round in text.stretches(between: template.answerEnd) {
      let halves = round.stretches(between: template.answerStart)
      guard halves.count == 2 else { return }
      // Without <s>, and without the blank behind "ASSISTANT:", which joins the answer's first
      // piece.
      let question = encode(halves[0] + template.answerStart).count - 2
      questions.append(end..<end + max(question, 0))
      // The round's own <s> is counted for the </s> that stands behind it in the conversation.
      end += encode(round).count
    }
  }

  func contains(_ place: Int) -> Bool {
    place > 0 && place < end && !questions.contains { $0.contains(place) }
  }
}

extension Turn {
  /// The turn with its picture mark, where it has one, moved to its front, on a line of its own.
  fileprivate func withLeading(_ mark: String) -> Turn {
    let parts = text.stretches(between: mark)
    guard parts.count > 1 else { return self }
    let words = parts.joined().strippedOfPythonSpace
    return Turn(role, words.isEmpty ? mark : "\(mark)\n\(words)")
  }
}
