import Foundation
import RocJSON
import RocModel
import RocTensor

/// How stages are shown.
extension VerifyCommand {
  func found(_ stage: Verification.Stage) -> String {
    guard let own = stage.counts.own else { return "this model has no such stage" }
    guard own == stage.counts.golden else {
      return "\(own) values here, \(stage.counts.golden) in the reference"
    }
    return short(stage.difference)
  }

  func short(_ value: Double) -> String {
    guard value.isFinite else { return "no number" }
    guard value > 0 else { return "0" }
    var exponent = 0
    var digits = value
    while digits < 1 { (digits, exponent) = (digits * 10, exponent - 1) }
    while digits >= 10 { (digits, exponent) = (digits / 10, exponent + 1) }
    return "\((digits * 10).rounded() / 10)e\(exponent)"
  }

  func json(_ verification: Verification, _ failed: Int) -> JSON {
    [
      "schema": "roc/verification/1", "checkpoint": .string(checkpoint),
      "golden": .string(golden), "precision": .string(precision.rawValue),
      "compared": .int(verification.stages.count), "failed": .int(failed),
      "skipped": .array(verification.skipped.map { .string($0) }),
      "stages": .array(
        verification.stages.map {
          [
            "picture": .string($0.picture), "stage": .string($0.name),
            "difference": $0.difference.isFinite ? .double($0.difference) : .null,
            "tolerance": .double($0.tolerance), "holds": .bool($0.holds),
          ]
        }),
    ]
  }
}
