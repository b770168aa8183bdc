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
        // A comparison maps no file: the scores have to be mapped beforehand.
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
      try Console.printData(object(inputs, all, adjusted, threshold).pretty)
    } else {
      for (place, pair) in all.enumerated() {
        try Console.print(text(first, pair, adjusted[place], threshold))
      }
    }
    return inputs.contains { $0.failed > 0 } ? .partlyFailed : .done
  }
}
