package import RocImage
package import RocTensor

/// Pixels to one feature vector per patch.
package protocol VisionEncoder: Sendable {
  /// Whether any of its parameters is trained.
  var isTrained: Bool { get }
  /// - Parameters:
  ///   - pictures: Prepared; a batch of them shares the weights that are read.
  ///   - trace: Records the stages when given.
  ///   - tape: Keeps what `backward` needs when given; of one picture.
  /// - Returns: [tokens, vision width] of each picture.
  func encode(_ pictures: [Pixels], trace: Trace?, tape: Tape?) -> PictureRows
  /// The first layer alone, for measuring: features of pictures in and out.
  func firstLayer(_ features: borrowing PictureRows) -> Matrix
  /// Adds to the gradients of all trained parameters, given that of the features.
  func backward(_ gradient: borrowing Matrix, tape: Tape)

  /// Multiplications and additions for a picture.
  func operations(_ pixels: Pixels) -> Double
  /// Those of one layer.
  func layerOperations(_ pixels: Pixels) -> Double
  /// Bytes that a pass over a picture takes besides the weights.
  func activationBytes(_ pixels: Pixels) -> Int
}

// A pass without a tape, as scoring makes it.
extension VisionEncoder {
  /// Next to nothing where all pictures have one size.
  package func activationBytes(_ pixels: Pixels) -> Int { 0 }

  package func encode(_ pictures: [Pixels], trace: Trace?) -> PictureRows {
    encode(pictures, trace: trace, tape: nil)
  }
}
