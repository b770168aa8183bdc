import RocData
import RocDigest
package import RocJSON
package import RocMetrics
package import RocNames
import RocScore
package import RocStore

/// The predictions of a stored run on one split, on the dataset's scale.
package struct StoredRun: Sendable {
  /// One picture with a score.
  package struct Line: Sendable {
    package let sample: SampleRecord
    /// Mapped linearly from the model's scale to the dataset's.
    package let scores: [Double]
    /// One list of probabilities a score.
    package let distributions: [[Double]]
    package let text: String?
  }

  package let run: RunRecord
  package let dataset: DatasetRecord
  package let split: SplitName
  /// All pictures of the split.
  package let samples: [SampleRecord]
  package let lines: [Line]
  package let failures: [PredictionRecord]
  /// Time spent on the pictures, not counting waiting.
  package let seconds: Double
  /// Parts with pictures of this split that the checkpoint was trained on.
  package let seen: [SeenInTraining]
  private let attributes: [Int64: [ExactText: Double]]
  private let ranges: [String: ScoreRange]

  /// Reads what is stored.
  ///
  /// - Parameters:
  ///   - store: Where it is stored.
  ///   - run: Which run; its dataset must be `dataset`.
  ///   - dataset: The dataset.
  ///   - text: `scheme/part`, or a part of the default scheme.
  /// - Throws: `StoreError` for a split that is not there.
  package init(
    _ store: Store, _ run: RunRecord, _ dataset: DatasetRecord, split text: String
  ) throws {
    self.run = run
    self.dataset = dataset
    let (name, samples) = try store.samples(dataset, split: text)
    split = name ?? SplitName(scheme: dataset.defaultScheme, part: text)
    self.samples = samples
    let predictions = try store.predictions(run: run.id ?? 0)
    let stored = samples.compactMap { sample in predictions[sample.id].map { (sample, $0) } }
    failures = stored.map(\.1).filter { $0.errorCode != nil }
    seconds = stored.reduce(0) { $0 + $1.1.milliseconds } / 1000
    lines = stored.compactMap { sample, prediction in
      guard !prediction.scores.isEmpty else { return nil }
      return Line(
        sample: sample, scores: prediction.scores.map { run.range.map($0, to: dataset.range) },
        distributions: prediction.distributions, text: prediction.text)
    }
    let names = run.targets.filter { $0 != Self.holistic }
    attributes = names.isEmpty ? [:] : try store.attributes(names, of: dataset)
    let manifest = names.isEmpty ? nil : try? Manifest(yaml: dataset.manifest, path: dataset.name)
    ranges = Dictionary(
      uniqueKeysWithValues: Set(names).compactMap { name in
        manifest?.range(of: name, variant: dataset.variant).map { (name, $0) }
      })
    seen = try SeenInTraining.of(run.checkpointSHA256, in: samples, of: dataset, store)
  }

  package static let holistic = "gt_score"

  package var expected: Int { samples.count }
  package var isIncomplete: Bool { lines.count < expected }

  /// The checkpoint folder's name.
  package var method: String {
    PathName.parts(run.checkpoint).last ?? run.checkpoint
  }

  package var splitSHA256: String { Self.digest(samples.map(\.key)) }

  /// The SHA-256 of a list of image keys: sorted by their bytes, each followed by LF.
  package static func digest(_ keys: [ImageKey]) -> String {
    SHA256.of(
      keys.sorted().map { "\($0)\n" }.joined())
  }

  /// The linear map of scores, such as `1:10=0:1`.
  package var scale: String { "\(run.range)=\(dataset.range)" }

  package func passport(target: String = StoredRun.holistic) -> Passport {
    let isHolistic = target == Self.holistic
    let range = isHolistic ? dataset.range : ranges[target] ?? dataset.range
    return Passport(
      dataset: dataset.name, variant: dataset.variant, split: split, splitSHA256: splitSHA256,
      expected: expected, target: target,
      threshold: isHolistic ? dataset.threshold : range.middle, range: range,
      higherIsBetter: dataset.higherIsBetter)
  }

  /// Whether the score tokens stand for the dataset's own bins.
  private var sharesBins: Bool {
    guard let bins = dataset.bins else { return false }
    return bins.count == run.tokens && bins.first == run.range.low
      && bins.first + Double(bins.count - 1) * bins.step == run.range.high
  }

  /// Predictions beside ground truth, with the pictures' keys.
  ///
  /// - Parameter target: `gt_score`, or an attribute that the answers have a score for.
  /// - Returns: Pairs of the pictures that have both.
  package func pairs(target: String = StoredRun.holistic) -> (pairs: ScoredPairs, keys: [ImageKey])
  {
    var pairs = ScoredPairs()
    var keys: [ImageKey] = []
    guard let place = run.targets.firstIndex(where: { $0.isExactly(target) }) else {
      return (pairs, keys)
    }
    let isHolistic = target == Self.holistic
    var hasDistributions = isHolistic && sharesBins
    for line in lines {
      guard place < line.scores.count else { continue }
      guard let truth = isHolistic ? line.sample.score : attributes[line.sample.id]?[target] else {
        continue
      }
      let score = line.scores[place]
      pairs.predicted.append(
        isHolistic ? score : dataset.range.map(score, to: ranges[target] ?? dataset.range))
      pairs.truth.append(truth)
      keys.append(line.sample.key)
      guard hasDistributions else { continue }
      let votes = line.sample.votes.flatMap { VoteHistogram(counts: $0).distribution }
      if let votes, place < line.distributions.count {
        pairs.distributions.append((predicted: line.distributions[place], truth: votes))
      } else {
        hasDistributions = false
      }
    }
    if !hasDistributions { pairs.distributions = [] }
    return (pairs, keys)
  }

  /// How well a perfect model could do on these pictures; nil without votes.
  package func ceiling(seed: UInt64) -> NoiseCeiling? {
    guard let bins = dataset.bins else { return nil }
    let votes = lines.compactMap(\.sample.votes)
    guard votes.count == lines.count else { return nil }
    // Votes on a different scale from the score say nothing about the score's noise.
    let last = bins.first + Double(bins.count - 1) * bins.step
    guard bins.first == dataset.range.low, last == dataset.range.high else { return nil }
    return NoiseCeiling(votes, first: bins.first, step: bins.step, seed: seed)
  }
}

/// Pictures of an evaluated split that a checkpoint was trained on.
package struct SeenInTraining: Sendable, Equatable {
  package let dataset: String
  package let split: SplitName
  package let count: Int
  package let of: Int

  package var text: String {
    "\(count) of the \(of) pictures are in \(dataset) \(split), which the checkpoint was trained on"
  }

  package var json: JSON {
    [
      "dataset": .string(dataset), "split": .string(split.description), "n": .int(count),
      "of": .int(of),
    ]
  }

  /// Compares a split with the parts that a checkpoint is known to have been trained on: by row in
  /// the same dataset, by name or content in others.
  static func of(
    _ checkpoint: String, in samples: [SampleRecord], of dataset: DatasetRecord, _ store: Store
  ) throws -> [SeenInTraining] {
    try store.trainingParts(of: checkpoint).compactMap { name, split in
      guard let other = try? store.dataset(name),
        let trained = try? store.samples(other, split: split.description).samples
      else { return nil }
      let count: Int
      if other.id == dataset.id {
        let rows = Set(trained.map(\.id))
        count = samples.filter { rows.contains($0.id) }.count
      } else {
        let own = try store.identities(dataset).pictures
        let theirs = try store.identities(other).pictures
        let keys = Set(trained.map(\.key))
        let contents = Set(trained.compactMap { theirs[$0.id]?.sha256 })
        count =
          samples.filter { sample in
            keys.contains(sample.key) || own[sample.id]?.sha256.map(contents.contains) == true
          }.count
      }
      guard count > 0 else { return nil }
      return SeenInTraining(dataset: name, split: split, count: count, of: samples.count)
    }
  }
}
