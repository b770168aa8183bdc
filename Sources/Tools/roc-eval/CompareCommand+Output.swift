import RocData
import RocEvaluation
import RocJSON
import RocMetrics
import RocNames
import RocScore
import RocStore
import RocTool

/// What is compared, and how the result is shown.
extension CompareCommand {
  /// Reads what the arguments name: a number is a run where the database holds it.
  func inputs() throws -> [ComparedResult] {
    let (labels, dataset, _) = try truth.labels()
    return try results.map { argument in
      if let number = Int64(argument) {
        let store = try truth.database.open(readOnly: true)
        let (run, own) = try store.run(number)
        let stored = try StoredRun(store, run, own, split: truth.split ?? "test")
        return try ComparedResult(stored, target: target)
      }
      let file = try PredictionInput.read(argument)
      let found = try file.pairs(truth: labels)
      for failure in found.failures.prefix(5) { Console.note("Warning: \(failure)") }
      if found.failures.count > 5 {
        Console.note("Warning: … and \(found.failures.count - 5) more records without a score")
      }
      found.noteDuplicates(argument)
      return try ComparedResult(found, name: argument, dataset: dataset)
    }
  }

  func object(
    _ inputs: [ComparedResult], _ all: [ComparedPair], _ adjusted: [[String: Double]],
    _ threshold: Double
  ) -> JSON {
    [
      "schema": "roc/comparison/1",
      "first": .string(inputs[0].name),
      "results": .array(inputs.map(\.json)),
      "target": .string(target),
      "threshold": .double(threshold),
      "bootstrap": [
        "method": "BCa, paired", "resamples": .int(bootstrap.resamples),
        "seed": .string(String(bootstrap.seed)),
      ],
      "comparisons": .array(
        zip(all, adjusted).map { pair, holm in
          [
            "second": .string(pair.name), "n": .int(pair.comparison.count),
            "n_left_out": .int(pair.left),
            "only_first_right": .int(pair.comparison.onlyFirst),
            "only_second_right": .int(pair.comparison.onlySecond),
            "metrics": .object(
              pair.comparison.differences.map { JSON.Member($0.name, $0.json(holm[$0.name])) }),
            "reasons": .object(
              pair.comparison.reasons.map { JSON.Member($0.name, .string($0.reason)) }),
          ]
        }),
    ]
  }

  func text(
    _ first: ComparedResult, _ pair: ComparedPair, _ holm: [String: Double], _ threshold: Double
  ) -> String {
    var rows = [["metric", "first", "second", "difference", "95 % interval", "p", "p (Holm)", ""]]
    for item in pair.comparison.differences {
      let p = item.test?.p ?? item.bootstrap
      rows.append([
        item.name, fixed(item.first, 4), fixed(item.second, 4), fixed(item.difference, 4),
        item.interval.map { "[\(fixed($0.low, 4)), \(fixed($0.high, 4))]" } ?? "–",
        p.map(Self.probability) ?? "–", holm[item.name].map(Self.probability) ?? "–",
        item.test?.name ?? "bootstrap",
      ])
    }
    for item in pair.comparison.reasons {
      rows.append([item.name, "–", "–", "–", "–", "–", "–", item.reason])
    }
    return """
      first: \(first.name), second: \(pair.name), \(pair.comparison.count) pictures, good above \
      \(ScoreRange.short(threshold))
      \(Text.columns(rows))
      """
  }

  static func probability(_ p: Double) -> String { p < 1e-4 ? "<0.0001" : fixed(p, 4) }
}

extension PairedComparison.Difference {
  fileprivate func json(_ holm: Double?) -> JSON {
    [
      "first": .double(first), "second": .double(second), "difference": .double(difference),
      "ci95": interval.map { [.double($0.low), .double($0.high)] } ?? .null,
      "ci95_zou": analytic.map { [.double($0.low), .double($0.high)] } ?? .null,
      "p_bootstrap": JSON(bootstrap), "test": JSON(test?.name), "p_test": JSON(test?.p),
      "p_holm": JSON(holm),
    ]
  }
}
