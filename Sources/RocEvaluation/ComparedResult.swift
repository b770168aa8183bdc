package import RocData
package import RocJSON
package import RocMetrics
package import RocNames
package import RocScore
package import RocStore

/// A stored run or a file of predictions, by picture.
package struct ComparedResult {
  package let name: String
  package let passport: Passport?
  package let threshold: Double?
  /// The labels' scale, where a dataset states it.
  package var range: ScoreRange?
  package let pairs: ScoredPairs
  package let keys: [ImageKey]
  package let expected: Int
  package let failed: Int
  /// Sentences about pictures that the checkpoint was trained on.
  package var seen: [String] = []
  package var run: StoredRun?

  /// A stored run's scores for a target.
  ///
  /// - Throws: `JobError` for a run that has no such scores.
  package init(_ stored: StoredRun, target: String) throws(JobError) {
    let number = stored.run.id ?? 0
    guard stored.run.targets.contains(target) else {
      throw JobError(
        .usage,
        """
        run \(number) has no score for \(target); it has \
        \(stored.run.targets.joined(separator: ", "))
        """)
    }
    name = "run \(number) (\(stored.method), \(stored.run.precision))"
    passport = stored.passport(target: target)
    threshold = stored.passport(target: target).threshold
    (pairs, keys) = stored.pairs(target: target)
    expected = stored.expected
    failed = stored.failures.count
    seen = stored.seen.map { "run \(number): \($0.text)" }
    run = stored
  }

  /// The scores of a file of predictions.
  ///
  /// - Parameters:
  ///   - found: Its pairs.
  ///   - name: The file's.
  ///   - dataset: Where the ground truth is from.
  /// - Throws: `JobError` for a file that names no pictures.
  package init(
    _ found: PredictionFile.Pairs, name: String, dataset: DatasetRecord?
  ) throws(JobError) {
    guard !found.images.contains(ImageKey("")) else {
      throw JobError(
        .failed, "\(name): names no pictures, so they cannot be paired with others'")
    }
    self.name = name
    passport = nil
    threshold = dataset?.threshold
    range = dataset?.range
    pairs = found.pairs
    keys = found.images
    expected = found.count
    failed = found.failures.count
  }

  /// Its part of the JSON output: what was scored, and the run's passport.
  package var json: JSON {
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

  /// Differences in how two runs were made that do not forbid comparing them: often they are what
  /// the comparison is about.
  package func variations(from other: ComparedResult) -> [String] {
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

  package func differences(from other: ComparedResult) -> [String] {
    guard let own = passport, let theirs = other.passport else { return [] }
    return own.differences(from: theirs)
  }
}

/// Two results on the pictures that both have.
package struct ComparedPair {
  package let name: String
  package let comparison: PairedComparison
  /// Pictures that only one of them has.
  package let left: Int

  /// - Parameters:
  ///   - first: One result.
  ///   - second: The other one.
  ///   - threshold: Where good begins.
  ///   - resampling: Behind the intervals.
  /// - Throws: `JobError` where the two have too little in common, or different ground truth.
  package init(
    _ first: ComparedResult, _ second: ComparedResult, threshold: Double, _ resampling: Resampling
  ) throws(JobError) {
    name = second.name
    let index = NameIndex(second.keys)
    var a = ScoredPairs()
    var b = ScoredPairs()
    for (place, key) in first.keys.enumerated() {
      guard let other = index.place(of: key.text) else { continue }
      guard first.pairs.truth[place] == second.pairs.truth[other] else {
        throw JobError(
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
      throw JobError(
        .missing,
        "\(first.name) and \(second.name) share \(a.count) pictures, expected at least 3")
    }
    left = first.keys.count + second.keys.count - 2 * a.count
    comparison = PairedComparison(
      a, b, threshold: threshold, resamples: resampling.count,
      seed: resampling.seed)
  }

  /// The p that Holm's correction takes.
  package func p(_ name: String) -> Double? {
    let item = comparison.differences.first { $0.name == name }
    return item?.test?.p ?? item?.bootstrap
  }
}

extension [ComparedPair] {
  /// Holm's correction of each metric's tests over all methods.
  package var holm: [[String: Double]] {
    var result = map { _ in [String: Double]() }
    for name in Resampler.Values.names {
      let places = indices.filter { self[$0].p(name) != nil }
      let adjusted = Holm.adjusted(places.compactMap { self[$0].p(name) })
      for (place, p) in zip(places, adjusted) { result[place][name] = p }
    }
    return result
  }
}
