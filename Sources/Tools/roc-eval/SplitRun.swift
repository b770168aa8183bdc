import RocDigest
import RocImage
import RocModel
import RocScore
import RocStore
import RocTool

/// Scores samples with one engine and keeps every prediction under the run's fingerprint.
struct SplitRun {
  let store: Store
  let dataset: DatasetRecord
  let record: RunRecord
  private let engine: Engine

  /// Finds the stored run that everything deciding the scores agrees with, or begins one.
  init(
    store: Store, dataset: DatasetRecord, engine: Engine, checkpoint: String,
    checkpointSHA256: String, question: String
  ) throws {
    self.store = store
    self.dataset = dataset
    self.engine = engine
    let axis = engine.parts.readout.axis
    let preprocessing = engine.parts.preprocessing.summary
    let decisive = [checkpointSHA256, question, preprocessing, "f32", Engine.version]
    var record = RunRecord(
      dataset: dataset.id ?? 0, fingerprint: SHA256.of(decisive.joined(separator: "\n")),
      checkpoint: checkpoint, checkpointSHA256: checkpointSHA256, question: question,
      preprocessing: preprocessing, precision: "f32", engine: Engine.version,
      range: ScoreRange(low: axis.low, high: axis.high), tokens: axis.values.count)
    record.id = try store.findOrInsert(record)
    self.record = record
  }

  /// Scores what has no score yet.
  ///
  /// - Returns: The status to end with after an interruption; nil when all is done.
  func score(_ samples: [SampleRecord], ahead: Int) throws -> ExitStatus? {
    let run = record.id ?? 0
    let known = try store.predictions(run: run)
    let todo = samples.filter { sample in
      // An answer without a score would come out the same; a picture may have been mended.
      guard let prediction = known[sample.id] else { return true }
      return prediction.errorCode != nil && prediction.errorCode != "no_score"
    }
    if todo.count < samples.count {
      Console.note("\(samples.count - todo.count) of \(samples.count) pictures are scored already")
    }
    var progress = Progress("scoring", total: todo.count, unit: "pictures")
    var waiting: [PredictionRecord] = []
    let clock = ContinuousClock()
    var lastSave = clock.now
    var done = 0

    func save() throws {
      guard !waiting.isEmpty else { return }
      try store.save(waiting, run: run)
      waiting = []
      lastSave = clock.now
    }

    // A picture that the import did not find is missing, whatever lies in the current folder.
    let present = todo.filter { $0.path != nil }
    for sample in todo where sample.path == nil {
      let message = "\(sample.key): \(sample.imageReason ?? "not in the image folder")"
      Console.note("Warning: \(message)")
      waiting.append(PredictionRecord(missing: sample.id, message: message))
    }
    done = todo.count - present.count
    try engine.score(
      paths: present.compactMap(\.path), question: record.question, ahead: ahead
    ) { index, outcome in
      waiting.append(PredictionRecord(sample: present[index].id, outcome))
      if let failure = outcome.failure {
        progress.finish()
        Console.note("Warning: \(failure.message)")
      }
      done += 1
      // Small steps keep a kill from costing more than a second of work.
      if waiting.count >= 64 || clock.now - lastSave > .seconds(1) { try save() }
      progress.update(done)
      return Interrupt.status == nil
    }
    try save()
    progress.finish()
    guard let status = Interrupt.status, done < todo.count else { return nil }
    Console.note(
      """
      interrupted: \(samples.count - todo.count + done) of \(samples.count) pictures are scored \
      and stored; the same command continues from here
      """)
    return status
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
