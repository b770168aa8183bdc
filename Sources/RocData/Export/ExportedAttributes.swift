import RocNames
import RocScore
import RocStore

/// The attributes that an export was asked for, with their values.
struct ExportedAttributes {
  let list: [ConversationExport.Attribute]
  let values: [Int64: [ExactText: Double]]
  /// What the main score is called.
  let word: ScoreWord

  init(_ request: ExportRequest, _ store: Store, _ record: DatasetRecord) throws {
    word = request.word.map { ScoreWord($0) } ?? ScoreWord(of: record)
    guard !request.attributes.isEmpty else {
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
    list = try request.attributes.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.first, known.contains(where: { $0.name == name }) else {
        let names = known.map(\.name).prefix(30).joined(separator: ", ")
        throw JobError(
          .usage,
          "\(record.name) has no attribute \(text); it has \(names.isEmpty ? "none" : names)")
      }
      let range =
        request.attributeRange ?? manifest?.range(of: name, variant: record.variant)
      guard range != nil || request.format != .roc else {
        throw JobError(
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
    guard request.format == .roc else { return }
    try checkWords(record)
    for attribute in list {
      let outside = values.values.lazy.compactMap { $0[attribute.name] }.first {
        !attribute.range.contains($0)
      }
      guard let outside else { continue }
      throw JobError(
        .usage,
        """
        \(attribute.name) holds \(ScoreRange.short(outside)), outside its scale \
        \(attribute.range); if it is a score, give its scale with --attribute-range LOW:HIGH
        """)
    }
  }

  /// Two scores of one name would be the same sentence with two numbers.
  private func checkWords(_ record: DatasetRecord) throws(JobError) {
    var known: [(name: String, word: ScoreWord)] = [("gt_score", word)]
    for attribute in list {
      if let other = known.first(where: { $0.word.collides(with: attribute.word) }) {
        throw JobError(
          .usage,
          """
          \(attribute.name) and \(other.name) would both be called "\(attribute.word.answer)"; give \
          another word with --attribute \(attribute.name)=WORD, or --word for gt_score
          """)
      }
      if known.contains(where: { $0.name.utf8.elementsEqual(attribute.name.utf8) }) {
        throw JobError(.usage, "--attribute \(attribute.name) is given twice")
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

  /// Keeps only samples that have all attributes; returns the keys of the others.
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
