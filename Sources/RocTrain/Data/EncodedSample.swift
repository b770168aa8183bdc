package import RocNames

/// A conversation ready for the model.
package struct EncodedSample: Sendable {
  /// The record's place in its file, from 1.
  package let number: Int
  package let image: ImageKey
  package let text: TrainingText
  package let scores: [Double]
  /// One distribution for each score, or none.
  package let targets: [[Double]]

  /// - Parameters:
  ///   - record: One that passed the lint.
  ///   - text: Its conversation.
  ///   - tokens: Score tokens, the length of one distribution.
  package init(_ record: TrainingRecord, text: TrainingText, tokens: Int) {
    number = record.number
    image = record.image ?? ImageKey("")
    self.text = text
    scores = record.scores
    let target = record.target ?? []
    targets = stride(from: 0, to: target.count, by: max(tokens, 1)).map {
      Array(target[$0..<min($0 + tokens, target.count)])
    }
  }
}
