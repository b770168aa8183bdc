import ArgumentParser
import RocData
import RocEvaluation
import RocJSON
import RocMetrics
import RocNames
import RocScore
import RocStore
import RocTool

struct CompareCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs or prediction files on the same images, with tests.",
    discussion: """
      Each further one is compared with the first: paired bootstrap (BCa), Steiger's and Zou's
      methods for correlations, McNemar's test for accuracy, Holm's correction over all of them.

      Examples:
        roc-eval compare 3 4 --split test
        roc-eval compare ours.csv qalign.json pyiqa.csv --dataset ava --split test
      """)

  @Argument(help: "Numbers of stored runs, or files of predictions; at least two.")
  var results: [String]

  @OptionGroup var truth: TruthOptions

  @Option(help: "A picture is good when its score is above this; default: the dataset's, or 5.")
  var threshold: Double?

  @Option(help: "Compare this score of the answers: gt_score or an attribute.")
  var target = StoredRun.holistic

  @OptionGroup var bootstrap: BootstrapOptions

  @Flag(help: "Compare results even if their protocols differ.")
  var force = false

  @Flag(help: "Print one JSON object.")
  var json = false

  mutating func validate() throws {
    guard results.count >= 2 else { throw ValidationError("Name two results or more.") }
    guard
      truth.split == nil || truth.dataset != nil || results.contains(where: { Int64($0) != nil })
    else { throw ValidationError("--split goes with --dataset, or with a stored run.") }
    guard threshold?.isFinite ?? true else {
      throw ValidationError("--threshold must be a number.")
    }
    guard bootstrap.resamples > 0 else {
      throw ValidationError("--resamples 0: a comparison needs resamples.")
    }
  }

  func execute() throws -> ExitStatus {
    let inputs = try inputs()
    let first = inputs[0]
    let threshold = threshold ?? inputs.lazy.compactMap(\.threshold).first ?? 5
    for other in inputs.dropFirst() {
      let gaps = first.differences(from: other)
      guard gaps.isEmpty || force else {
        throw CommandError(
          .checkFailed,
          """
          \(first.name) and \(other.name) were not measured alike (\(gaps.joined(separator: "; "))); \
          --force compares them all the same
          """)
      }
      for gap in first.variations(from: other) + gaps {
        Console.note("Warning: \(first.name) and \(other.name): \(gap)")
      }
    }
    for input in inputs where input.run == nil {
      if let warning = ScaleCheck(input.pairs, labels: input.range).warning {
        // A comparison maps no file: the scores have to be mapped before.
        let text = warning.replacing("--map", with: "roc-eval metrics --map")
        Console.note("Warning: \(input.name): \(text)")
      }
    }
    for seen in Set(inputs.flatMap(\.seen)).sorted() { Console.note("Warning: \(seen)") }
    let all = try inputs.dropFirst().map { other in
      try ComparedPair(first, other, threshold: threshold, bootstrap.resampling)
    }
    for pair in all where pair.left > 0 {
      Console.note(
        """
        Warning: \(pair.left) pictures are not scored by both \(first.name) and \(pair.name); they \
        are left out
        """)
    }
    let adjusted = all.holm
    if json {
      try Console.print(object(inputs, all, adjusted, threshold).pretty)
    } else {
      for (place, pair) in all.enumerated() {
        try Console.print(text(first, pair, adjusted[place], threshold))
      }
    }
    return inputs.contains { $0.failed > 0 } ? .partlyFailed : .done
  }

  /// Reads what the arguments name: a number is a run where the database holds it.
  private func inputs() throws -> [ComparedResult] {
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

  private func object(
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

  private func text(
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

  private static func probability(_ p: Double) -> String { p < 1e-4 ? "<0.0001" : fixed(p, 4) }
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
