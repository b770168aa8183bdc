package import RocJSON
package import RocScore
package import RocStore

/// What a number depends on besides the model: two results may share a column when theirs agree.
package struct Passport: Sendable, Equatable {
  package let dataset: String
  /// The copy of the labels, when it is not the original.
  package let variant: String?
  package let split: SplitName
  /// Over the split's image keys, sorted by their bytes, each followed by LF.
  package let splitSHA256: String
  package let expected: Int
  /// What is predicted: `gt_score` or an attribute.
  package let target: String
  package let threshold: Double
  package let range: ScoreRange
  package let higherIsBetter: Bool

  /// Everything but the checkpoint and how it was run.
  package var protocolJSON: JSON {
    [
      "gt": .string("\(target) as stored, not rounded"),
      "scale": .string(range.description),
      "threshold": .double(threshold),
      "rule": "score > threshold on both sides",
      "plcc": "raw",
      "emd_r": [1, 2],
      "emd_reduction": "over bins per image, then mean over images",
      "direction": .string(higherIsBetter ? "higher is better" : "lower is better"),
    ]
  }

  /// Where two results differ that must agree; empty where they may be compared.
  package func differences(from other: Passport) -> [String] {
    var result: [String] = []
    func compare(_ what: String, _ a: String, _ b: String) {
      if a != b { result.append("\(what): \(a) and \(b)") }
    }
    compare("dataset", dataset, other.dataset)
    compare("labels", variant ?? "original", other.variant ?? "original")
    compare("split", split.description, other.split.description)
    if splitSHA256 != other.splitSHA256 {
      result.append(
        "the split's pictures: \(splitSHA256.prefix(12)) and \(other.splitSHA256.prefix(12))")
    }
    compare("ground truth", target, other.target)
    compare("scale", range.description, other.range.description)
    compare("threshold", "\(threshold)", "\(other.threshold)")
    return result
  }
}
