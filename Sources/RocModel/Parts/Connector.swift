package import RocTensor

/// Features of pictures to the rows that stand in the prompts.
package protocol Connector: Sendable {
  /// Whether any of its parameters is trained.
  var isTrained: Bool { get }

  /// - Parameters:
  ///   - features: [tokens, vision width] of each picture.
  ///   - trace: Records the stages when given.
  ///   - tape: Keeps what `backward` needs when given; of one picture.
  /// - Returns: [rows, language width] of each picture.
  func connect(_ features: borrowing PictureRows, trace: Trace?, tape: Tape?) -> PictureRows
  /// Adds to the gradients of all trained parameters, given that of the rows.
  ///
  /// - Returns: The gradient of the features.
  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix

  /// Multiplications and additions for these features.
  func operations(_ features: borrowing PictureRows) -> Double
}

// A pass without a tape, as scoring makes it.
extension Connector {
  package func connect(_ features: borrowing PictureRows, trace: Trace?) -> PictureRows {
    connect(features, trace: trace, tape: nil)
  }
}
