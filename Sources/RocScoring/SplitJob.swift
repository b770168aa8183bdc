import RocData
package import RocEvaluation
package import RocModel
package import RocNames
import RocScore
package import RocStore

/// What is asked of the scoring of a split.
package struct SplitRequest: Sendable {
  /// The dataset's name; the only one when nil.
  package var dataset: String?
  /// `scheme/part`, or a part of the default scheme.
  package var split: String
  /// Pictures to pass over at the start, and how many to score at most.
  package var offset = 0
  package var limit: Int?
  /// What the scores of an answer are: gt_score, then attributes.
  package var targets = [StoredRun.holistic]
  /// What the model has been trained on.
  package var trainedOn: [(dataset: String, split: SplitName)] = []
  /// The checkpoint as it was named.
  package var checkpoint: String

  package init(split: String, checkpoint: String) {
    self.split = split
    self.checkpoint = checkpoint
  }
}

/// The scoring of a split of a dataset: what is checked before a model is loaded, and the run that
/// its predictions belong to.
package struct SplitJob {
  package let dataset: DatasetRecord
  /// The pictures to score.
  package let samples: [SampleRecord]
  private let request: SplitRequest
  private let store: Store
  private let splitName: SplitName?
  private let splitSamples: [SampleRecord]

  /// - Parameters:
  ///   - store: Where the dataset is.
  ///   - request: What is asked.
  /// - Throws: `StoreError` for a missing dataset or split, `JobError` for missing pictures or
  ///   attributes.
  package init(_ store: Store, _ request: SplitRequest) throws {
    self.store = store
    self.request = request
    dataset = try store.dataset(request.dataset)
    (splitName, splitSamples) = try store.samples(dataset, split: request.split)
    samples = Array(splitSamples.dropFirst(request.offset).prefix(request.limit ?? .max))
    try check()
    guard !samples.isEmpty else {
      throw JobError(
        .usage, "--offset \(request.offset): the split has \(splitSamples.count) pictures")
    }
  }

  private func check() throws {
    guard splitSamples.contains(where: { $0.path != nil || $0.imageState == .missing }) else {
      throw JobError(
        .missing,
        """
        \(dataset.name): nobody has said where the pictures are; import again with \
        roc-data import \(dataset.name) --source … --images FOLDER
        """)
    }
    let known = Set(names: try store.attributeNames(of: dataset).map(\.name))
    for name in request.targets.dropFirst() where !known.contains(name) {
      throw JobError(
        .usage,
        """
        \(dataset.name) has no attribute \(name); it has \
        \(known.isEmpty ? "none" : known.sorted().map(\.text).joined(separator: ", "))
        """)
    }
    for (name, part) in request.trainedOn {
      // A name that does not exist would never show a leak.
      _ = try store.samples(try store.dataset(name), split: part.description)
    }
  }

  /// A remark where the question does not use the word for the dataset's score; nil where it does.
  package func remark(on mode: ScoringMode) -> String? {
    guard case .scoreTokens(let question) = mode else { return nil }
    let word = ScoreWord(of: dataset)
    guard !word.isNamed(in: question) else { return nil }
    return """
      Note: the score of \(dataset.name) is called \(word.question), the question is \
      "\(question)"; --question asks another
      """
  }

  /// The run that is identified by everything that decides its scores.
  ///
  /// - Parameters:
  ///   - engine: Loaded.
  ///   - mode: What is asked.
  ///   - sha256: The checkpoint's.
  /// - Returns: The run, not stored yet.
  /// - Throws: `JobError` for a model and targets that do not go together.
  package func runRecord(
    _ engine: Engine, _ mode: ScoringMode, sha256: String
  ) throws(JobError) -> RunRecord {
    let (range, tokens) = try asked(mode, engine)
    let identity = RunIdentity(engine, mode, sha256: sha256)
    let targets = request.targets
    var record = RunRecord(
      dataset: dataset.id ?? 0,
      // What the scores stand for decides no score, but every number that is computed from them.
      fingerprint: identity.fingerprint(
        targets.count > 1 ? [targets.joined(separator: ",")] : []),
      checkpoint: request.checkpoint, checkpointSHA256: sha256, question: identity.question,
      preprocessing: identity.preprocessing, precision: identity.precision,
      engine: Engine.version, range: range, tokens: tokens, targets: targets)
    record.backbone = engine.parts.backboneName
    return record
  }

  /// What stands in a run for its mode: the range of scores and their tokens.
  private func asked(
    _ mode: ScoringMode, _ engine: Engine
  ) throws(JobError) -> (range: ScoreRange, tokens: Int) {
    switch mode {
    case .levels(let levels):
      guard request.targets.count == 1 else {
        throw JobError(
          .usage,
          "--targets \(request.targets.joined(separator: ",")): levels give one score, gt_score")
      }
      let range = ScoreRange(low: levels.range.lowerBound, high: levels.range.upperBound)
      return (range, LevelScoring.words.count)
    case .scoreTokens:
      guard let axis = engine.parts.readout?.axis else {
        throw JobError(.usage, "\(request.checkpoint) has no score tokens")
      }
      return (ScoreRange(low: axis.low, high: axis.high), axis.values.count)
    }
  }

  /// Stores the run and what its model was trained on.
  ///
  /// - Returns: The run with its number.
  package func insert(_ run: RunRecord) throws -> RunRecord {
    var run = run
    run.id = try store.findOrInsert(run)
    for (name, part) in request.trainedOn {
      try store.addTrainingPart(of: run.checkpointSHA256, dataset: name, split: part)
    }
    return run
  }

  /// What all segments of the run agree on.
  package func header(_ run: RunRecord) -> SegmentHeader {
    SegmentHeader(
      dataset: dataset.name, split: splitName?.description ?? request.split,
      splitSHA256: StoredRun.digest(splitSamples.map(\.key)), count: splitSamples.count, run: run)
  }
}
