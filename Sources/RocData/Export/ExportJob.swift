package import RocNames
package import RocScore
package import RocStore

/// The format that a split is written in.
package enum ExportFormat: String, Sendable, CaseIterable {
  /// Conversations with gt_score and target.
  case roc
  /// Q-Align's levels.
  case qalign
  /// DeQA-Score's soft labels.
  case deqa
  case csv
  case jsonl
}

/// What an export is asked for.
package struct ExportRequest: Sendable {
  /// `scheme/part`, or a part of the default scheme.
  package var split: String
  package var format: ExportFormat
  /// Used in turn; the one that the model is trained with when there is none.
  package var questions: [String] = []
  /// What gt_score is called; as in the manifest when nil.
  package var word: String?
  /// Further scores, `NAME` or `NAME=WORD`.
  package var attributes: [String] = []
  package var attributeRange: ScoreRange?
  /// Which comment follows the score, and from which source.
  package var comment: CommentRule?
  package var commentSource: String?
  /// The scale to which scores are mapped linearly.
  package var scale: ScoreRange?
  /// Bins of the target, and whether votes are spread over another number of them.
  package var tokens: Int?
  package var rebins = false
  package var levelTask: LevelTask?
  package var levelRange: ScoreRange?
  package var density = SoftLabel.Density.pdf
  /// Keeps upstream's formula for soft labels at the middle of the scale, too.
  package var isUpstream = false
  /// Leaves out missing and unreadable pictures.
  package var skipsMissing = false
  /// Exports even if parts share pictures.
  package var force = false
  /// Leaves out photos that are tested elsewhere.
  package var dropsTestedPhotos = false
  /// Refuses while parts share photos.
  package var isStrict = false

  package init(split: String, format: ExportFormat) {
    self.split = split
    self.format = format
  }
}

/// The export of a split of a dataset.
package struct ExportJob {
  /// What was made.
  package struct Result {
    package let split: String
    /// The file, in pieces.
    package let blocks: [[UInt8]]
    package let records: Int
    /// Pictures that are missing or cannot be read.
    package let absent: [ImageKey]
    /// Pictures without what the records need.
    package let incomplete: [ImageKey]
    /// Pictures whose photo is tested elsewhere.
    package let samePhotos: Int
  }

  let store: Store
  let record: DatasetRecord
  let request: ExportRequest
  let note: (String) -> Void

  /// - Parameters:
  ///   - store: Where the dataset is.
  ///   - record: The dataset.
  ///   - request: What is asked for.
  ///   - note: Gets what people should know.
  package init(
    _ store: Store, _ record: DatasetRecord, _ request: ExportRequest,
    note: @escaping (String) -> Void
  ) {
    self.store = store
    self.record = record
    self.request = request
    self.note = note
  }

  /// Makes the records.
  ///
  /// - Returns: The file and what was left out.
  /// - Throws: `JobError` for what the dataset does not have, and for leaks.
  package func run() throws -> Result {
    if let tokens = request.tokens, tokens != record.bins?.count,
      !request.rebins || record.bins == nil
    {
      let own = record.bins.map { "\($0.count)" } ?? "no"
      throw JobError(
        .usage,
        """
        \(record.name) has \(own) bins, --num-tokens asks for \(tokens)\
        \(record.bins == nil ? "; it publishes no votes" : "; --rebin spreads the votes over them")
        """)
    }
    let (name, stored) = try store.samples(record, split: request.split)
    let gate = LeakGate(request: request, note: note)
    let all = try name.map { try gate.withoutLeaks(stored, $0, store, record) } ?? stored
    let absent = all.filter { $0.imageState == .missing || $0.imageState == .unreadable }
    var samples = all
    if request.skipsMissing {
      let ids = Set(absent.map(\.id))
      samples.removeAll { ids.contains($0.id) }
      for sample in absent {
        note("left out: \(sample.key): \(sample.imageReason ?? sample.imageState.rawValue)")
      }
    }
    let attributes = try ExportedAttributes(request, store, record)
    let incomplete = removeIncomplete(from: &samples, attributes)
    let result = Result(
      split: name?.description ?? request.split, blocks: try blocks(samples, name, attributes),
      records: samples.count, absent: absent.map(\.key), incomplete: incomplete,
      samePhotos: stored.count - all.count)
    return result
  }

  /// Keeps only samples that records can be made of; returns the keys of the others.
  private func removeIncomplete(
    from samples: inout [SampleRecord], _ attributes: ExportedAttributes
  ) -> [ImageKey] {
    var incomplete = request.format == .roc ? attributes.keepComplete(&samples) : []
    for key in incomplete.prefix(20) {
      note("left out: \(key): it lacks an attribute, so there is no score to train on")
    }
    if request.format == .deqa {
      let form = LevelExport.Form.deqa(request.density)
      let mute = samples.filter { !LevelExport.takes($0, form: form, dataset: record) }
      samples.removeAll { !LevelExport.takes($0, form: form, dataset: record) }
      for sample in mute.prefix(20) {
        note("left out: \(sample.key): it has no votes, and its score is on another scale")
      }
      incomplete += mute.map(\.key)
    }
    return incomplete
  }

  /// Notes what was exported, once it is written.
  package func sum(up result: Result) {
    let left = request.skipsMissing ? ", \(result.absent.count) left out" : ""
    note("\(record.name) \(result.split): \(result.records) records\(left)")
    if !request.skipsMissing, !result.absent.isEmpty {
      note(
        """
        Warning: \(result.absent.count) pictures are missing or unreadable; --skip-missing leaves \
        them out
        """)
    }
    if !result.incomplete.isEmpty {
      note(
        """
        \(result.incomplete.count) pictures lack \
        \(request.format == .deqa ? "votes" : "an attribute")
        """)
    }
  }
}
