/// The fewest and most pixels to which a picture that keeps its shape is resized, and what its
/// sides are multiples of: `smart_resize` of Qwen2-VL's image processor
/// (https://github.com/huggingface/transformers, `image_processing_qwen2_vl.py`).
package struct PixelLimits: Sendable, Equatable {
  /// Both sides become multiples of it.
  package let factor: Int
  package let least: Int
  package let most: Int

  /// Longer and thinner pictures are refused.
  package static let largestRatio = 200

  /// - Precondition: `factor` is positive, and `most` at least its square.
  package init(factor: Int, least: Int, most: Int) {
    precondition(factor > 0 && most >= factor * factor, "\(most) pixels in multiples of \(factor)")
    self.factor = factor
    self.least = least
    self.most = most
  }

  /// The size that a picture is resized to; nil for one that is too long and thin.
  ///
  /// A picture that is enlarged to `least` may exceed `most` by rounding; it is not checked again, as
  /// in the original.
  package func size(width: Int, height: Int) -> (width: Int, height: Int)? {
    let (w, h) = (Double(width), Double(height))
    guard max(w, h) / min(w, h) <= Double(Self.largestRatio) else { return nil }
    // Halves to even, as Python rounds.
    func nearest(_ side: Double) -> Double {
      (side / Double(factor)).rounded(.toNearestOrEven) * Double(factor)
    }
    var result = (width: nearest(w), height: nearest(h))
    if result.width * result.height > Double(most) {
      let scale = (h * w / Double(most)).squareRoot()
      func lower(_ side: Double) -> Double {
        max(Double(factor), (side / scale / Double(factor)).rounded(.down) * Double(factor))
      }
      result = (lower(w), lower(h))
    } else if result.width * result.height < Double(least) {
      let scale = (Double(least) / (h * w)).squareRoot()
      func higher(_ side: Double) -> Double {
        (side * scale / Double(factor)).rounded(.up) * Double(factor)
      }
      result = (higher(w), higher(h))
    }
    return (Int(result.width), Int(result.height))
  }
}
