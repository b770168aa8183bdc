import ArgumentParser
import RocData
import RocNames
import RocScore
import RocStore
import RocTool

/// A scale written `LOW:HIGH`.
struct ScaleOption: ExpressibleByArgument {
  let range: ScoreRange

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low < high,
      (high - low).isFinite
    else { return nil }
    range = ScoreRange(low: low, high: high)
  }
}

/// Which of a picture's comments is said.
enum CommentRule: String, ExpressibleByArgument, CaseIterable {
  case first
  case longest
  case shortest

  /// The chosen comment on one line; nil when none can be said.
  func choose(_ comments: [String]) -> String? {
    let usable = comments.map { text in
      text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }.filter { text in
      !text.isEmpty && ConversationExport.reserved.allSatisfy { !" \(text) ".containsBytes(of: $0) }
    }
    switch self {
    case .first: return usable.first
    case .longest: return usable.max { $0.utf8.count < $1.utf8.count }
    case .shortest: return usable.min { $0.utf8.count < $1.utf8.count }
    }
  }
}

extension LevelTask: ExpressibleByArgument {}
extension SoftLabel.Density: ExpressibleByArgument {}

/// The attributes that an export was asked for, with their values.
struct ExportedAttributes {
  let list: [ConversationExport.Attribute]
  let values: [Int64: [ExactText: Double]]
  /// What the main score is called.
  let word: ScoreWord

  init(_ command: Export, _ store: Store, _ record: DatasetRecord) throws {
    word = command.word.map { ScoreWord($0) } ?? ScoreWord(of: record)
    guard !command.attribute.isEmpty else {
      list = []
      values = [:]
      return
    }
    let known = try store.attributeNames(of: record)
    let manifest =
      record.manifest.isEmpty
      ? nil
      : try? Manifest(
        yaml: record.manifest, path: record.name)
    list = try command.attribute.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.first, known.contains(where: { $0.name == name }) else {
        let names = known.map(\.name).prefix(30).joined(separator: ", ")
        throw CommandError(
          .usage,
          "\(record.name) has no attribute \(text); it has \(names.isEmpty ? "none" : names)")
      }
      let range =
        command.attributeRange?.range ?? manifest?.range(of: name, variant: record.variant)
      guard range != nil || command.format != .roc else {
        throw CommandError(
          .usage,
          "\(record.name) does not say the scale of \(name); give --attribute-range LOW:HIGH")
      }
      let own = try store.attributeVotes([name], of: record).compactMapValues { $0[name] }
      let rule = (manifest?.tables ?? []).lazy.compactMap { $0.attributeVotes?[name] }.first
      let bins = rule.map {
        DatasetRecord.Bins(count: $0.columns.count, first: $0.first ?? 1, step: $0.step ?? 1)
      }
      return .init(
        name: name, word: parts.count > 1 ? parts[1] : manifest?.attributeWords?[name],
        range: range ?? record.range,
        votes: own,
        bins: bins)
    }
    values = try store.attributes(list.map(\.name), of: record)
    guard command.format == .roc else { return }
    try checkWords(record)
    for attribute in list {
      let outside = values.values.lazy.compactMap { $0[attribute.name] }.first {
        !attribute.range.contains($0)
      }
      guard let outside else { continue }
      throw CommandError(
        .usage,
        """
        \(attribute.name) holds \(ScoreRange.short(outside)), outside its scale \
        \(attribute.range); if it is a score, give its scale with --attribute-range LOW:HIGH
        """)
    }
  }

  /// Two scores of one name would be the same sentence with two numbers.
  private func checkWords(_ record: DatasetRecord) throws(CommandError) {
    var known: [(name: String, word: ScoreWord)] = [("gt_score", word)]
    for attribute in list {
      if let other = known.first(where: { $0.word.collides(with: attribute.word) }) {
        throw CommandError(
          .usage,
          """
          \(attribute.name) and \(other.name) would both be called "\(attribute.word.answer)"; give \
          another word with --attribute \(attribute.name)=WORD, or --word for gt_score
          """)
      }
      if known.contains(where: { $0.name.utf8.elementsEqual(attribute.name.utf8) }) {
        throw CommandError(.usage, "--attribute \(attribute.name) is given twice")
      }
      known.append((attribute.name, attribute.word))
    }
  }

  /// Why there are no targets for several scores; nil where there are, or nobody asked.
  func reasonForNoTargets(_ tokens: Int?, _ rebin: Bool, _ record: DatasetRecord) -> String? {
    guard let first = list.first else { return nil }
    guard let count = tokens ?? record.bins?.count, record.bins != nil else {
      return "\(record.name) publishes no votes"
    }
    if let mute = list.first(where: { $0.votes.isEmpty || $0.bins == nil }) {
      return "\(mute.name) has no votes"
    }
    if let other = list.first(where: { $0.bins?.count != count }), !rebin {
      return """
        \(other.name) has \(other.bins?.count ?? 0) bins and \(first.name == other.name ? "the score" : "others") \
        \(count); --rebin with --num-tokens makes them equal
        """
    }
    return nil
  }

  /// Leaves samples that have all attributes; returns the keys of the others.
  func keepComplete(_ samples: inout [SampleRecord]) -> [ImageKey] {
    guard !list.isEmpty else { return [] }
    let isComplete = { (sample: SampleRecord) in
      list.allSatisfy { values[sample.id]?[$0.name] != nil }
    }
    let incomplete = samples.filter { !isComplete($0) }.map(\.key)
    samples = samples.filter(isComplete)
    return incomplete
  }
}

/// Training on what is tested makes every number wrong: train and val go through the audit.
struct LeakGate {
  private let command: Export

  init(_ command: Export) { self.command = command }

  func withoutLeaks(
    _ samples: [SampleRecord], _ name: SplitName, _ store: Store, _ record: DatasetRecord
  ) throws -> [SampleRecord] {
    guard name.part != "test" else { return samples }
    let audit = try LeakAudit(store, record, isGate: true)
    for leak in audit.pictureLeaks(of: name) {
      guard command.force else {
        throw CommandError(
          .checkFailed,
          "\(leak.text); roc-data audit \(record.name) lists more; --force exports anyway")
      }
      Console.note("Warning: \(leak.text)")
    }
    let photos = audit.photoLeaks(of: name)
    guard !photos.isEmpty else { return samples }
    if command.dedupPhotos {
      let tested = audit.sharing(photosOf: SplitName(scheme: name.scheme, part: "test"))
      let kept = samples.filter { !tested.contains($0.id) }
      Console.note(
        "left out: \(samples.count - kept.count) pictures whose photo is in the test part")
      return kept
    }
    for leak in photos {
      guard !command.strict else {
        throw CommandError(.checkFailed, "\(leak.text); --dedup-photos leaves them out")
      }
      Console.note("Warning: \(leak.text); --dedup-photos leaves them out")
    }
    return samples
  }
}
