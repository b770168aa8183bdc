import RocMetrics
import RocTables

/// One line of a file of predictions.
package struct Prediction: Sendable {
  /// The picture, as the file calls it.
  package var image: String?
  package var truth: Double?
  package var score: Double?
  /// Predicted and true vote distributions.
  package var distribution: [Double]?
  package var target: [Double]?
  /// Why there is no score, where the file says so.
  package var reason: String?
  /// File and line or record, for messages.
  package let place: String

  init(place: String) { self.place = place }
}

/// Words and columns of evaluation files.
enum PredictionNames {
  static let image = [
    "image", "img_path", "filename", "file_name", "file", "image_name", "img_name", "imagefile",
    "image_id", "path", "name", "id", "key",
  ]
  static let truth = ["gt_score", "gt", "mos", "label", "ground_truth"]
  static let score = [
    "score", "pred_score", "pred", "prediction", "pred_mos", "predicted_score", "iaa_score",
  ]
}

/// Numbers as programs print them.
enum PredictionNumber {
  /// A number, also as PyTorch and NumPy print one-element arrays: `tensor([[1.5]],
  /// device='cuda:0')`, `[1.5]`.
  static func read(_ text: String) -> Double? {
    let text = text.trimmingBlanks
    if let number = Double(decimal: text) { return number }
    var rest = text[...]
    for name in ["tensor(", "array(", "np.float32(", "np.float64("] where rest.hasPrefix(name) {
      guard rest.hasSuffix(")") else { return nil }
      rest = rest.dropFirst(name.count).dropLast()
      // What follows says where the value lies, not what it is.
      if let comma = rest.firstIndex(of: ",") { rest = rest[..<comma] }
    }
    while rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
    return rest.count == text.count ? nil : Double(decimal: String(rest).trimmingBlanks)
  }
}

/// Scores of Q-Align's five words.
enum LevelScore {
  static let words = ["excellent", "good", "fair", "poor", "bad"]

  /// The expectation of 5 to 1 under probabilities.
  static func expectation(_ probabilities: [Double]) -> Double {
    let sum = probabilities.reduce(0, +)
    return zip(probabilities, [5.0, 4, 3, 2, 1]).reduce(0) { $0 + $1.0 * $1.1 } / sum
  }

  /// The same for logits, through a softmax.
  static func expectation(logits: [Double]) -> Double {
    expectation(DistributionDistance.softmax(logits))
  }
}
