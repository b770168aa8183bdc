import RocData
import RocEvaluation
import RocJSON
import RocMetrics
import RocNames
import RocScore
import RocStore
import RocTool

/// A stored run or a file of predictions, by picture.
struct ComparedResult {
  let name: String
  let passport: Passport?
  let threshold: Double?
  /// The labels' scale, where a dataset says it.
  var range: ScoreRange?
  let pairs: ScoredPairs
  let keys: [ImageKey]
  let expected: Int
  let failed: Int
  /// Sentences about pictures that the checkpoint was trained on.
  var seen: [String] = []
  var run: StoredRun?

  /// Its part of the JSON output: what was scored, and the run's passport.
  var json: JSON {
    [
      "name": .string(name), "n_expected": .int(expected), "n_scored": .int(pairs.count),
      "n_failed": .int(failed),
      "run": run.map { stored in
        [
          "dataset": .string(stored.dataset.name),
          "split": [
            "name": .string(stored.split.description), "sha256": .string(stored.splitSHA256),
          ],
          "checkpoint_sha256": .string(stored.run.checkpointSHA256),
          "question": .string(stored.run.question), "precision": .string(stored.run.precision),
          "engine": .string(stored.run.engine), "scale": .string(stored.scale),
          "trained_on": .array(stored.seen.map(\.json)),
        ]
      } ?? .null,
    ]
  }

  /// How two runs were made differently without that forbidding to compare them: often it is what
  /// the comparison is about.
  func variations(from other: ComparedResult) -> [String] {
    guard let own = run?.run, let theirs = other.run?.run else { return [] }
    var result: [String] = []
    for (what, a, b) in [
      ("question", own.question, theirs.question), ("precision", own.precision, theirs.precision),
      ("engine", own.engine, theirs.engine),
      ("preprocessing", own.preprocessing, theirs.preprocessing),
    ] where a != b {
      result.append("\(what): \(a) and \(b)")
    }
    return result
  }

  func differences(from other: ComparedResult) -> [String] {
    guard let own = passport, let theirs = other.passport else { return [] }
    return own.differences(from: theirs)
  }
}

extension Compare {
  /// Reads what the arguments name: a number is a run where the database holds it.
  static func inputs(
    _ arguments: [String], _ truth: TruthOptions, target: String
  ) throws -> [ComparedResult] {
    let (labels, dataset, _) = try truth.labels()
    return try arguments.map { argument in
      if let number = Int64(argument) {
        let store = try truth.database.open(readOnly: true)
        let (run, own) = try store.run(number)
        let stored = try StoredRun(store, run, own, split: truth.split ?? "test")
        guard run.targets.contains(target) else {
          throw CommandError(
            .usage,
            "run \(number) has no score for \(target); it has \(run.targets.joined(separator: ", "))"
          )
        }
        let (pairs, keys) = stored.pairs(target: target)
        return ComparedResult(
          name: "run \(number) (\(stored.method), \(run.precision))",
          passport: stored.passport(target: target),
          threshold: stored.passport(target: target).threshold, pairs: pairs, keys: keys,
          expected: stored.expected, failed: stored.failures.count,
          seen: stored.seen.map { "run \(number): \($0.text)" }, run: stored)
      }
      let file = try PredictionInput.read(argument)
      let found = try file.pairs(truth: labels)
      for failure in found.failures.prefix(5) { Console.note("Warning: \(failure)") }
      if found.failures.count > 5 {
        Console.note("Warning: … and \(found.failures.count - 5) more records without a score")
      }
      found.noteDuplicates(argument)
      guard !found.images.contains(ImageKey("")) else {
        throw CommandError(
          .failed, "\(argument): names no pictures, so they cannot be paired with others'")
      }
      return ComparedResult(
        name: argument, passport: nil, threshold: dataset?.threshold, range: dataset?.range,
        pairs: found.pairs,
        keys: found.images, expected: found.count, failed: found.failures.count)
    }
  }
}

/// Two results on the pictures that both have.
struct ComparedPair {
  let name: String
  let comparison: PairedComparison
  /// Pictures that only one of them has.
  let left: Int

  init(
    _ first: ComparedResult, _ second: ComparedResult, threshold: Double, resamples: Int,
    seed: UInt64
  ) throws(CommandError) {
    name = second.name
    let index = NameIndex(second.keys)
    var a = ScoredPairs()
    var b = ScoredPairs()
    for (place, key) in first.keys.enumerated() {
      guard let other = index.place(of: key.text) else { continue }
      guard first.pairs.truth[place] == second.pairs.truth[other] else {
        throw CommandError(
          .checkFailed,
          """
          \(key) has the ground truth \(first.pairs.truth[place]) in \(first.name) and \
          \(second.pairs.truth[other]) in \(second.name); give one for both with --ground-truth
          """)
      }
      a.predicted.append(first.pairs.predicted[place])
      a.truth.append(first.pairs.truth[place])
      b.predicted.append(second.pairs.predicted[other])
      b.truth.append(second.pairs.truth[other])
      if !first.pairs.distributions.isEmpty, !second.pairs.distributions.isEmpty {
        a.distributions.append(first.pairs.distributions[place])
        b.distributions.append(second.pairs.distributions[other])
      }
    }
    guard a.count >= 3 else {
      throw CommandError(
        .dataMissing,
        "\(first.name) and \(second.name) share \(a.count) pictures, expected at least 3")
    }
    left = first.keys.count + second.keys.count - 2 * a.count
    comparison = PairedComparison(a, b, threshold: threshold, resamples: resamples, seed: seed)
  }

  /// The p that Holm's correction takes.
  func p(_ name: String) -> Double? {
    let item = comparison.differences.first { $0.name == name }
    return item?.test?.p ?? item?.bootstrap
  }
}
