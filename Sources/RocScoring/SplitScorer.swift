package import RocEvaluation
import RocFiles
import RocImage
package import RocModel
import RocNames
package import RocStore

/// What people may want to know while a job scores.
package enum ScoringEvent: Sendable {
  /// This many of all pictures have a prediction that stands.
  case known(Int, of: Int)
  /// Pictures whose files have changed since they were scored: they are scored again.
  case changed(Int)
  /// A score that is known already, with its ground truth.
  case score(Double, truth: Double)
  /// A picture was handled: its score, if it got one, and its ground truth.
  case done(Double?, truth: Double)
  /// Pictures that are dealt with without being scored here: missing ones, and those of others.
  case passed(Int)
  /// Why a picture has no score.
  case failed(String)
  /// Other processes are scoring the pictures that are left.
  case heldByOthers(Int)
  /// Pictures whose predictions another process stored first.
  case takenOver(Int)
  /// The end of a segment was torn and is written again.
  case torn
}

/// How a scoring job ended.
package enum ScoringEnd: Sendable, Equatable {
  case finished
  /// It was asked to stop when this many pictures had a prediction.
  case stopped(Int, of: Int)
}

/// Scores samples with one engine and keeps every prediction as it comes: in the database under the
/// run's fingerprint, where several processes share the work, or in a segment of its own.
package struct SplitScorer {
  /// What is scored again.
  package struct Policy: Sendable {
    /// Answers without a score, too, which come out the same unless something else changed.
    package var retriesFailed = false

    package init(retriesFailed: Bool = false) { self.retriesFailed = retriesFailed }
  }

  /// Pictures that one claim takes: enough to read ahead, few enough to share.
  private static let claimSize = 32

  private let record: RunRecord
  private let engine: Engine
  private let mode: ScoringMode
  private let ahead: Int
  private let policy: Policy
  private let shouldStop: () -> Bool
  private let tell: (ScoringEvent) throws -> Void

  /// - Parameters:
  ///   - record: The run.
  ///   - engine: Loaded.
  ///   - mode: What is asked.
  ///   - ahead: Pictures that are read ahead.
  ///   - policy: What is scored again.
  ///   - shouldStop: Asked after each picture.
  ///   - tell: Gets what happens.
  package init(
    record: RunRecord, engine: Engine, mode: ScoringMode, ahead: Int, policy: Policy,
    shouldStop: @escaping () -> Bool, tell: @escaping (ScoringEvent) throws -> Void
  ) {
    self.record = record
    self.engine = engine
    self.mode = mode
    self.ahead = ahead
    self.policy = policy
    self.shouldStop = shouldStop
    self.tell = tell
  }

  /// Whether a prediction stands: it needs no retry, and its picture is the one that was scored.
  private func stands(_ prediction: PredictionRecord?, _ sample: SampleRecord) -> Bool {
    guard let prediction else { return false }
    // An answer without a score would come out the same; a picture may have been mended.
    if let code = prediction.errorCode, code != "no_score" || policy.retriesFailed { return false }
    guard let stamp = prediction.picture, let path = sample.path else { return true }
    return PictureFile.isUnchanged(path, since: stamp)
  }

  /// Samples that need scoring, given what is stored.
  private func todo(
    _ samples: [SampleRecord], _ known: (SampleRecord) -> PredictionRecord?
  ) throws -> [SampleRecord] {
    var changed = 0
    let todo = samples.filter { sample in
      let prediction = known(sample)
      guard !stands(prediction, sample) else { return false }
      if prediction?.errorCode == nil, prediction != nil { changed += 1 }
      return true
    }
    if todo.count < samples.count {
      try tell(.known(samples.count - todo.count, of: samples.count))
    }
    if changed > 0 { try tell(.changed(changed)) }
    return todo
  }

  /// Scores what has no score yet and stores it in the database.
  ///
  /// - Parameters:
  ///   - samples: In the order in which they are scored.
  ///   - store: Where the run is.
  /// - Returns: How it ended: `finished` when all have a prediction now.
  /// - Throws: `StoreError`, `ModelError`, and what `tell` throws.
  package func score(_ samples: [SampleRecord], in store: Store) throws -> ScoringEnd {
    let runID = record.id ?? 0
    let start = Store.now
    let known = try store.predictions(run: runID)
    let todo = try todo(samples) { known[$0.id] }
    let byID = Dictionary(uniqueKeysWithValues: todo.map { ($0.id, $0) })
    var left = todo.map(\.id)
    for sample in samples {
      if let score = known[sample.id]?.scores.first, byID[sample.id] == nil {
        try tell(.score(score, truth: sample.score))
      }
    }
    let owner = RunOwner.own()
    let claimant = Store.Claimant(
      run: runID, owner: owner, count: Self.claimSize, isGone: RunOwner.isGone)
    func stop() throws -> ScoringEnd {
      try store.release(run: runID, owner: owner)
      let stored = try store.predictions(run: runID)
      return .stopped(samples.count { stored[$0.id] != nil }, of: samples.count)
    }
    var isWaiting = false
    while !left.isEmpty {
      let before = left.count
      let mine = try store.claim(claimant, from: &left, since: start)
      try tell(.passed(before - left.count - mine.count))
      guard !mine.isEmpty else {
        if left.isEmpty { break }
        if !isWaiting { try tell(.heldByOthers(left.count)) }
        isWaiting = true
        if shouldStop() { return try stop() }
        pause(milliseconds: 300)
        continue
      }
      isWaiting = false
      var handled = 0
      try score(mine.compactMap { byID[$0] }) { batch in
        handled += batch.count
        let stored = try store.saveLeased(batch.map(\.prediction), run: runID, owner: owner)
        if stored < batch.count { try tell(.takenOver(batch.count - stored)) }
      }
      if shouldStop(), handled < mine.count || !left.isEmpty { return try stop() }
    }
    try store.release(run: runID, owner: owner)
    return .finished
  }

  /// Scores one worker's share into its segment.
  ///
  /// - Parameters:
  ///   - samples: The share.
  ///   - segment: Where predictions go.
  /// - Returns: How it ended, and how many pictures have no score.
  /// - Throws: `SegmentError`, `ModelError`, and what `tell` throws.
  package func score(
    _ samples: [SampleRecord], into segment: SegmentWriter
  ) throws -> (end: ScoringEnd, failed: Int) {
    if segment.wasTorn { try tell(.torn) }
    let todo = try todo(samples) { segment.known[$0.key] }
    let anew = Set(todo.map(\.id))
    var failed = samples.count { sample in
      segment.known[sample.key]?.errorCode != nil && !anew.contains(sample.id)
    }
    var done = 0
    try score(todo) { batch in
      try segment.write(batch.map { ($0.key, $0.prediction) })
      failed += batch.count { $0.prediction.errorCode != nil }
      done += batch.count
    }
    let isStopped = shouldStop() && done < todo.count
    return (isStopped ? .stopped(done, of: todo.count) : .finished, failed)
  }

  private typealias Scored = (key: ImageKey, prediction: PredictionRecord)

  /// Scores pictures in their order and hands over what is done, at least once a second.
  private func score(_ samples: [SampleRecord], save: ([Scored]) throws -> Void) throws {
    var unsaved: [Scored] = []
    let clock = ContinuousClock()
    var lastSave = clock.now
    func flush() throws {
      try save(unsaved)
      unsaved = []
      lastSave = clock.now
    }
    // A picture that the import did not find is missing, whatever lies in the current folder.
    let present = samples.filter { $0.path != nil }
    for sample in samples where sample.path == nil {
      let message = "\(sample.key): \(sample.imageReason ?? "not in the image folder")"
      try tell(.failed(message))
      unsaved.append((sample.key, PredictionRecord(missing: sample.id, message: message)))
      try tell(.passed(1))
    }
    try engine.score(
      paths: present.compactMap(\.path), mode: mode, ahead: ahead
    ) { index, outcome in
      let sample = present[index]
      var prediction = PredictionRecord(sample: sample.id, outcome)
      if let path = sample.path, let file = outcome.file {
        prediction.picture = PictureFile.stamp(path, read: file)
      }
      unsaved.append((sample.key, prediction))
      if let failure = outcome.failure { try tell(.failed(failure.message)) }
      try tell(.done(prediction.scores.first, truth: sample.score))
      // Small steps keep a kill from costing more than a second of work.
      if unsaved.count >= 64 || clock.now - lastSave > .seconds(1) { try flush() }
      return !shouldStop()
    }
    try flush()
  }
}

extension PredictionRecord {
  fileprivate init(missing sample: Int64, message: String) {
    self.init(
      sample: sample, scores: [], distributions: [], text: nil, errorCode: "missing",
      errorMessage: message, milliseconds: 0)
  }

  fileprivate init(sample: Int64, _ outcome: ScoredPicture) {
    let isScored = outcome.failure == nil
    self.init(
      sample: sample, scores: isScored ? outcome.answer?.scores ?? [] : [],
      distributions: isScored ? outcome.answer?.distributions ?? [] : [],
      text: outcome.answer?.text, errorCode: outcome.failure?.code,
      errorMessage: outcome.failure?.message, milliseconds: outcome.milliseconds)
  }
}
