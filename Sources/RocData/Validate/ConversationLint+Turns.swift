import RocJSON
import RocNames

extension ConversationLint {
  /// Turns alternate, human first; one picture mark; one `[SCORE]` for each score.
  mutating func checkConversations(_ record: JSON, scores: Int?) {
    guard let value = record["conversations"] else { return fail("conversations", "is missing") }
    guard let turns = value.array, !turns.isEmpty else {
      return fail("conversations", "is \(value.kind) without turns, expected a list of turns")
    }
    var marks = 0
    var tokens = 0
    for (i, turn) in turns.enumerated() {
      let field = "conversations[\(i)]"
      let role = i % 2 == 0 ? "human" : "gpt"
      guard turn["from"] != nil || turn["role"] == nil else {
        return fail(
          field, "has role and content, expected from (\"\(role)\") and value; --fix renames them")
      }
      guard turn["from"]?.string == role else {
        let found = turn["from"]?.line.prefix(40) ?? "missing"
        return fail("\(field).from", "is \(found), expected \"\(role)\"")
      }
      guard let text = turn["value"]?.string else {
        return fail("\(field).value", "is missing or no text")
      }
      checkTemplate(text, role: role, field: "\(field).value")
      let found = text.occurrences(of: ConversationExport.scoreToken)
      if role == "human" {
        marks += text.occurrences(of: ConversationExport.mark)
        if found > 0 { fail("\(field).value", "a question holds [SCORE]") }
      } else {
        tokens += found
      }
    }
    if turns.count % 2 != 0 { fail("conversations", "the last question has no answer") }
    if marks != 1 {
      fail("conversations", "\(marks) <|image|> marks, expected exactly 1 for the picture")
    }
    if let scores, tokens != scores {
      fail("conversations", "\(tokens) [SCORE] in the answers for \(scores) scores in gt_score")
    }
  }

  /// Texts that training would cut in the wrong place, or that name score tokens themselves.
  private mutating func checkTemplate(_ text: String, role: String, field: String) {
    let isOnlyMark =
      role == "human" && text.occurrences(of: ConversationExport.mark) == 1
      && text.utf8.count == ConversationExport.mark.utf8.count
    if text.allSatisfy(\.isWhitespace) || isOnlyMark { fail(field, "is empty") }
    for separator in ["</s>", "<s>", " ASSISTANT: ", " USER: "]
    where text.occurrences(of: separator) > 0 {
      fail(field, "holds \"\(separator)\", which separates turns in the prompt template")
    }
    if role == "gpt", text.occurrences(of: ConversationExport.mark) > 0 {
      fail(field, "an answer holds <|image|>")
    }
    if let range = text.range(ofScoreToken: ()) {
      fail(field, "holds \(text[range]), which only the model may emit")
    }
  }
}

extension String {
  /// How often `other` occurs, without overlaps.
  package func occurrences(of other: String) -> Int {
    byteRanges(of: other).count
  }

  /// The first `[IMG<number>]`.
  fileprivate func range(ofScoreToken: Void) -> Range<String.Index>? {
    // Making the expression costs more than searching; hardly any text needs it.
    occurrences(of: "[IMG") == 0 ? nil : firstRange(of: /\[IMG[0-9]+\]/)
  }
}
