import RocNames
package import RocStore

/// What questions and answers call a score.
///
/// It is color in "Please rate the color of the image." and "The color rate of the image is
/// [SCORE]. ".
package struct ScoreWord: Sendable, Equatable {
  /// As a question has it.
  package let question: String
  /// As the answer has it: the official sentence says "aesthetic" where the question says
  /// "aesthetics".
  package let answer: String

  package init(_ word: String) {
    let isAesthetic = ["aesthetic", "aesthetics"].contains(word.lowercased())
    question = isAesthetic ? "aesthetics" : word
    answer = isAesthetic ? "aesthetic" : word
  }

  package static let aesthetics = ScoreWord("aesthetics")

  /// The word of a dataset's main score, which its manifest states.
  package init(of dataset: DatasetRecord) {
    let manifest = try? Manifest(yaml: dataset.manifest, path: dataset.name)
    // A database that an older version wrote holds manifests without words.
    let bundled = manifest.flatMap { try? Manifest.bundled($0.name) }
    self.init(manifest?.score.word ?? bundled?.score.word ?? Self.aesthetics.question)
  }

  /// Whether an answer could not tell the two apart.
  package func collides(with other: ScoreWord) -> Bool {
    answer.lowercased().utf8.elementsEqual(other.answer.lowercased().utf8)
  }

  /// Whether a question of the user's own mentions this score.
  package func isNamed(in text: String) -> Bool {
    text.lowercased().utf8.firstRange(of: answer.lowercased().utf8) != nil
  }

  /// Why a word cannot be one; nil when it can.
  package static func reason(against word: String) -> String? {
    if word.allSatisfy(\.isWhitespace) { return "is empty" }
    if let mark = ConversationExport.reserved.first(where: " \(word) ".containsBytes) {
      return "holds \(mark), which the template has for itself"
    }
    if word.contains(where: \.isNewline) { return "holds a line end" }
    return nil
  }
}
