import RocFiles
package import RocNames
package import RocStore

/// Puts the segments of all workers into the database: every picture of the split exactly once.
package struct MergeJob {
  private let store: Store
  private let takesPart: Bool
  private let replaces: Bool
  private let note: (String) -> Void

  /// - Parameters:
  ///   - store: Where the predictions go.
  ///   - takesPart: Merges what is there even if pictures are missing.
  ///   - replaces: Puts the segments' predictions in place of others.
  ///   - note: Gets what the user should know.
  package init(
    _ store: Store, takesPart: Bool, replaces: Bool, note: @escaping (String) -> Void
  ) {
    self.store = store
    self.takesPart = takesPart
    self.replaces = replaces
    self.note = note
  }

  /// The segments of a folder.
  ///
  /// - Parameters:
  ///   - folder: The folder that workers wrote into.
  ///   - note: Gets what the user should know.
  /// - Returns: What they hold together.
  /// - Throws: `JobError` for segments that are invalid or do not belong together.
  package static func read(
    _ folder: String, note: (String) -> Void
  ) throws(JobError) -> SegmentMerge {
    do throws(SegmentError) {
      let found = try Segment.all(in: folder, names: folderEntries(folder))
      for path in found.unbegun {
        note("Warning: \(path): its worker stopped before the first line; it holds nothing")
      }
      return try SegmentMerge(found.segments)
    } catch {
      throw JobError(error.isMissing ? .missing : .checkFailed, error.message)
    }
  }

  /// Checks everything, then stores it.
  ///
  /// - Parameters:
  ///   - merge: What the segments hold.
  ///   - folder: Where they were, for messages.
  /// - Returns: The run as it is stored.
  /// - Throws: `JobError` for missing pictures and contradictions; nothing is changed then.
  package func run(_ merge: SegmentMerge, of folder: String) throws -> StoredRun {
    let header = merge.header
    let dataset = try store.dataset(header.dataset)
    let samples = try store.samples(dataset, split: header.split).samples
    try check(merge, samples, dataset, folder)
    var record = header.run.copy(dataset: dataset.id ?? 0)
    record.id = try store.findOrInsert(record)
    let predictions = samples.compactMap { sample in
      merge.predictions[sample.key].map { $0.copy(sample: sample.id) }
    }
    try keep(predictions, samples, run: record.id ?? 0, duplicates: merge.duplicates)
    return try StoredRun(store, record, dataset, split: header.split)
  }

  private func check(
    _ merge: SegmentMerge, _ samples: [SampleRecord], _ dataset: DatasetRecord, _ folder: String
  ) throws(JobError) {
    let header = merge.header
    guard StoredRun.digest(samples.map(\.key)) == header.splitSHA256 else {
      throw JobError(
        .checkFailed,
        """
        \(dataset.name) \(header.split) has other pictures in \(store.path) than when the \
        segments were written (\(samples.count) and \(header.count))
        """)
    }
    for (path, line) in merge.torn {
      note("Warning: \(path):\(line): a torn line; its picture counts as not scored")
    }
    for image in merge.conflicts.prefix(10) {
      note("Error: \(image): segments disagree about it")
    }
    guard merge.conflicts.isEmpty else {
      throw JobError(
        .checkFailed, "\(merge.conflicts.count) pictures have different predictions in \(folder)")
    }
    let known = Set(samples.map(\.key))
    let strangers = merge.predictions.keys.filter { !known.contains($0) }
    guard strangers.isEmpty else {
      throw JobError(
        .checkFailed,
        "\(folder): \(strangers.count) pictures are not in the split, as \(strangers.min()?.text ?? "")"
      )
    }
    let missing = samples.filter { merge.predictions[$0.key] == nil }
    guard !missing.isEmpty else { return }
    let text = "\(missing.count) of \(samples.count) pictures are in no segment"
    guard takesPart else {
      throw JobError(
        .checkFailed, "\(text), as \(missing[0].key); --partial takes what is there")
    }
    note("Warning: \(text)")
  }

  /// Stores what is new; what contradicts the database is an error, or replaces it.
  private func keep(
    _ predictions: [PredictionRecord], _ samples: [SampleRecord], run: Int64, duplicates: Int
  ) throws {
    let known = try store.predictions(run: run)
    // A picture that could not be read this time is no contradiction.
    let new = predictions.filter { own in
      guard let stored = known[own.sample] else { return true }
      return !stored.agrees(with: own) && (own.errorCode == nil || stored.errorCode != nil)
    }
    let others = new.filter { known[$0.sample].map { $0.errorCode == nil } ?? false }
    let keys = Dictionary(uniqueKeysWithValues: samples.map { ($0.id, $0.key) })
    for prediction in others.prefix(10) {
      let stored = known[prediction.sample]
      let reason =
        stored?.picture?.sha256 == prediction.picture?.sha256
        ? "" : ", of another content of the picture"
      note(
        """
        \(replaces ? "Warning" : "Error"): \(keys[prediction.sample]?.text ?? ""): the database has \
        the score \(stored?.scores.first?.description ?? "–"), the segments \
        \(prediction.scores.first?.description ?? "–")\(reason)
        """)
    }
    guard others.isEmpty || replaces else {
      throw JobError(
        .checkFailed,
        """
        \(others.count) pictures have other predictions in \(store.path); --replace takes the \
        segments'
        """)
    }
    try store.save(new, run: run, replaces: replaces)
    note(
      """
      \(new.count) predictions merged, \(predictions.count - new.count) were there already, \
      \(duplicates) equal duplicates folded
      """)
  }
}

extension RunRecord {
  /// The same run in a database of its own.
  fileprivate func copy(dataset: Int64) -> RunRecord {
    var copy = RunRecord(
      dataset: dataset, fingerprint: fingerprint, checkpoint: checkpoint,
      checkpointSHA256: checkpointSHA256, question: question, preprocessing: preprocessing,
      precision: precision, engine: engine, range: range, tokens: tokens, targets: targets)
    copy.backbone = backbone
    return copy
  }
}

extension PredictionRecord {
  /// The same prediction of a sample of the database.
  fileprivate func copy(sample: Int64) -> PredictionRecord {
    var copy = PredictionRecord(
      sample: sample, scores: scores, distributions: distributions, text: text,
      errorCode: errorCode, errorMessage: errorMessage, milliseconds: milliseconds)
    copy.picture = picture
    return copy
  }
}
