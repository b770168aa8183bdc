import RocEvaluation
import RocImage
import RocMetrics
import RocModel
import RocNames
import RocScore
import RocStore
import RocTool

/// Scores samples with one engine and keeps every prediction as it comes: in the database under the
/// run's fingerprint, where several processes share the work, or in a segment of one's own.
struct SplitRun {
  /// What is scored again.
  struct Policy {
    /// Answers without a score, too, which come out the same unless something else changed.
    var retriesFailed = false
  }

  /// Pictures that one claim takes: enough to read ahead, few enough to share.
  private static let claimSize = 32

  let record: RunRecord
  private let engine: Engine
  private let mode: ScoringMode
  private let ahead: Int

  init(record: RunRecord, engine: Engine, mode: ScoringMode, ahead: Int) {
    self.record = record
    self.engine = engine
    self.mode = mode
    self.ahead = ahead
  }

  /// Whether a prediction stands, and if so whether its picture is still the one that was scored.
  private static func stands(
    _ prediction: PredictionRecord?, _ sample: SampleRecord, _ policy: Policy
  ) -> Bool {
    guard let prediction else { return false }
    // An answer without a score would come out the same; a picture may have been mended.
    if let code = prediction.errorCode, code != "no_score" || policy.retriesFailed { return false }
    guard let stamp = prediction.picture, let path = sample.path else { return true }
    return PictureFile.isUnchanged(path, since: stamp)
  }

  /// Samples that need scoring, given what is stored.
  static func todo(
    _ samples: [SampleRecord], _ known: (SampleRecord) -> PredictionRecord?, _ policy: Policy
  ) -> [SampleRecord] {
    var changed = 0
    let todo = samples.filter { sample in
      let prediction = known(sample)
      guard !stands(prediction, sample, policy) else { return false }
      if prediction?.errorCode == nil, prediction != nil { changed += 1 }
      return true
    }
    if todo.count < samples.count {
      Console.note("\(samples.count - todo.count) of \(samples.count) pictures are scored already")
    }
    if changed > 0 {
      Console.note("\(changed) pictures have changed since they were scored; they are scored again")
    }
    return todo
  }

  /// Scores what has no score yet and stores it in the database.
  ///
  /// - Returns: The status to end with after an interruption; nil when all is done.
  func score(
    _ samples: [SampleRecord], in store: Store, policy: Policy
  ) throws -> ExitStatus? {
    let run = record.id ?? 0
    let start = Store.now
    let known = try store.predictions(run: run)
    let todo = Self.todo(samples, { known[$0.id] }, policy)
    let byID = Dictionary(uniqueKeysWithValues: todo.map { ($0.id, $0) })
    var waiting = todo.map(\.id)
    var meter = ScoreMeter(total: todo.count, range: record.range)
    for sample in samples {
      if let score = known[sample.id]?.scores.first, byID[sample.id] == nil {
        meter.add(score, truth: sample.score)
      }
    }
    let owner = RunOwner.own()
    var isWaiting = false
    while !waiting.isEmpty {
      let before = waiting.count
      let mine = try store.claim(
        run: run, todo: &waiting, since: start, owner: owner, count: Self.claimSize,
        isGone: RunOwner.isGone)
      meter.skip(before - waiting.count - mine.count)
      guard !mine.isEmpty else {
        if waiting.isEmpty { break }
        if !isWaiting {
          meter.finish()
          Console.note("waiting for \(waiting.count) pictures that another process is scoring")
        }
        isWaiting = true
        if let status = Interrupt.status { return try stop(status, store, run, owner, samples) }
        Interrupt.pause(milliseconds: 300)
        continue
      }
      isWaiting = false
      var handled = 0
      try score(mine.compactMap { byID[$0] }, &meter) { batch in
        handled += batch.count
        let stored = try store.save(batch.map(\.prediction), run: run, owner: owner)
        if stored < batch.count {
          Console.note("\(batch.count - stored) pictures were taken over by another process")
        }
      }
      if let status = Interrupt.status, handled < mine.count || !waiting.isEmpty {
        meter.finish()
        return try stop(status, store, run, owner, samples)
      }
    }
    meter.finish()
    try store.release(run: run, owner: owner)
    return nil
  }

  private func stop(
    _ status: ExitStatus, _ store: Store, _ run: Int64, _ owner: String, _ samples: [SampleRecord]
  ) throws -> ExitStatus {
    try store.release(run: run, owner: owner)
    let stored = try store.predictions(run: run)
    let done = samples.filter { stored[$0.id] != nil }.count
    Console.note(
      """
      interrupted: \(done) of \(samples.count) pictures are scored and stored; the same command \
      continues from here
      """)
    return status
  }

  /// Scores one worker's share into its segment.
  ///
  /// - Returns: The status to end with: done, partly failed, or interrupted.
  func score(_ samples: [SampleRecord], into segment: SegmentWriter, policy: Policy) throws
    -> ExitStatus
  {
    if segment.wasTorn {
      Console.note("Warning: the segment's last line was torn and is written again")
    }
    let todo = Self.todo(samples, { segment.known[$0.key] }, policy)
    var meter = ScoreMeter(total: todo.count, range: record.range)
    let anew = Set(todo.map(\.id))
    var failed = samples.filter { sample in
      segment.known[sample.key]?.errorCode != nil && !anew.contains(sample.id)
    }.count
    var done = 0
    try score(todo, &meter) { batch in
      try segment.write(batch.map { ($0.key, $0.prediction) })
      failed += batch.filter { $0.prediction.errorCode != nil }.count
      done += batch.count
    }
    meter.finish()
    if let status = Interrupt.status, done < todo.count {
      Console.note(
        "interrupted after \(done) of \(todo.count) pictures; the same command continues from here")
      return status
    }
    return failed == 0 ? .done : .partlyFailed
  }

  private typealias Scored = (key: ImageKey, prediction: PredictionRecord)

  /// Scores pictures in their order and hands over what is done, at least once a second.
  private func score(
    _ samples: [SampleRecord], _ meter: inout ScoreMeter, save: ([Scored]) throws -> Void
  ) throws {
    var waiting: [Scored] = []
    let clock = ContinuousClock()
    var lastSave = clock.now
    func flush() throws {
      try save(waiting)
      waiting = []
      lastSave = clock.now
    }
    // A picture that the import did not find is missing, whatever lies in the current folder.
    let present = samples.filter { $0.path != nil }
    for sample in samples where sample.path == nil {
      let message = "\(sample.key): \(sample.imageReason ?? "not in the image folder")"
      meter.finish()
      Console.note("Warning: \(message)")
      waiting.append((sample.key, PredictionRecord(missing: sample.id, message: message)))
      meter.skip(1)
    }
    try engine.score(
      paths: present.compactMap(\.path), mode: mode, ahead: ahead
    ) { index, outcome in
      let sample = present[index]
      var prediction = PredictionRecord(sample: sample.id, outcome)
      prediction.picture = sample.path.flatMap(PictureFile.stamp)
      waiting.append((sample.key, prediction))
      if let failure = outcome.failure {
        meter.finish()
        Console.note("Warning: \(failure.message)")
      }
      meter.done(prediction.scores.first, truth: sample.score)
      // Small steps keep a kill from costing more than a second of work.
      if waiting.count >= 64 || clock.now - lastSave > .seconds(1) { try flush() }
      return Interrupt.status == nil
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
