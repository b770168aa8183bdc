import RocDigest
package import RocJSON
import RocNames
import RocReport
import RocScore
package import RocStore

/// What a reader has to know about a stored dataset, as Markdown with one SVG picture beside it.
package struct DatasetCard {
  private let dataset: DatasetRecord
  private let manifest: Manifest?
  private let samples: [SampleRecord]
  private let splits: [(name: SplitName, samples: [SampleRecord])]
  private let audit: LeakAudit
  private let attributes: [(name: String, count: Int)]
  private let comments: [(source: String, count: Int)]
  private let quarantine: [SetAsideLine]

  /// The numbers of the card, for programs.
  package var numbers: [JSON.Member] {
    [
      .init("title", .string(dataset.title)), .init("pictures", .int(samples.count)),
      .init("gt_score", ScoreSummary(samples.map(\.score))?.json ?? .null),
      .init(
        "splits",
        .array(
          splits.map { name, members in
            [
              "name": .string(name.description), "n": .int(members.count),
              "sha256": .string(Self.hash(members)),
            ]
          })),
      .init("leaks", .array(audit.leaks.map(\.json))),
      .init("known_defects", .array((manifest?.defects ?? []).map(JSON.string))),
      .init("set_aside", .int(quarantine.count)),
    ]
  }

  package init(_ store: Store, _ dataset: DatasetRecord) throws {
    self.dataset = dataset
    manifest =
      dataset.manifest.isEmpty
      ? nil
      : try? Manifest(
        yaml: dataset.manifest, path: dataset.name)
    samples = try store.samples(dataset).samples
    let counts = try store.datasets().first { $0.record.name == dataset.name }?.splits ?? []
    splits = try counts.map { name, _ in
      (name, try store.samples(dataset, split: name.description).samples)
    }
    audit = try LeakAudit(store, dataset)
    attributes = try store.attributeNames(of: dataset)
    comments = try store.commentSources(of: dataset)
    quarantine = try store.quarantine(of: dataset)
  }

  /// The picture: all pictures, then the parts of the default scheme.
  package var svg: String {
    let own = splits.filter { $0.name.scheme == dataset.defaultScheme }
    let parts = [("all", samples)] + own.map { ($0.name.description, $0.samples) }
    return StatisticsPlot.plot(dataset, parts.map { (title: $0.0, samples: $0.1) }).svg
  }

  /// The card.
  ///
  /// - Parameter picture: The SVG's file name.
  /// - Returns: Markdown.
  package func markdown(picture: String) -> String {
    var blocks = ["# \(dataset.title)", facts, "![Scores and votes](\(picture))"]
    blocks.append("## Splits\n\n" + splitTable)
    if !attributes.isEmpty { blocks.append("## Attributes\n\n" + attributeTable) }
    if !comments.isEmpty {
      let rows = comments.map { "| \($0.source) | \($0.count) |" }
      blocks.append(
        "## Comments\n\n| source | comments |\n|---|---:|\n" + rows.joined(separator: "\n"))
    }
    blocks.append("## Pictures\n\n" + pictureFacts)
    blocks.append("## Leaks\n\n" + leaks)
    blocks.append("## Defects\n\n" + defects)
    if let manifest {
      blocks.append("## Licence\n\n\(manifest.licence)")
      blocks.append("## Citation\n\n> \(manifest.citation)")
    }
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private var facts: String {
    var rows: [(String, String)] = [("name", "`\(dataset.name)`")]
    if let manifest { rows.append(("source", manifest.source)) }
    if let variant = dataset.variant { rows.append(("copy", variant)) }
    if let manifest { rows.append(("gt_score", manifest.score.description)) }
    rows.append(
      ("scale", "\(dataset.range.words), \(dataset.higherIsBetter ? "higher" : "lower") is better"))
    rows.append(("accuracy", "good is above \(ScoreRange.short(dataset.threshold))"))
    rows.append(("pictures", "\(samples.count)"))
    if let summary = ScoreSummary(samples.map(\.score)) {
      rows.append(
        (
          "scores",
          """
          mean \(fixed(summary.mean, 6)), std \(fixed(summary.deviation, 6)), \
          min \(fixed(summary.least, 4)), max \(fixed(summary.largest, 4))
          """
        ))
    }
    if let bins = dataset.bins {
      let total = samples.reduce(0) { $0 + ($1.votes?.reduce(0, +) ?? 0) }
      rows.append(("votes", total > 0 ? "\(total) in \(bins.count) bins" : "none in these files"))
    } else {
      rows.append(("votes", "none published"))
    }
    return "| | |\n|---|---|\n"
      + rows.map { "| \($0.0) | \(Escaped.markdown($0.1)) |" }
      .joined(separator: "\n")
  }

  /// The ids of a part as a hash: two people with the same hash have the same split.
  private var splitTable: String {
    guard !splits.isEmpty else { return "None." }
    let rows = splits.map { name, samples in
      let mean = ScoreSummary(samples.map(\.score)).map { fixed($0.mean, 4) } ?? ""
      let isDefault = name.scheme == dataset.defaultScheme ? " (default)" : ""
      return "| \(name)\(isDefault) | \(samples.count) | \(mean) | `\(Self.hash(samples))` |"
    }
    return """
      The hash is SHA-256 over the image keys, sorted by their UTF-8 bytes, each followed by a line \
      feed.

      | split | pictures | mean | sha256 of its ids |
      |---|---:|---:|---|
      \(rows.joined(separator: "\n"))
      """
  }

  private static func hash(_ samples: [SampleRecord]) -> String {
    let keys = samples.map { Array($0.key.text.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    var bytes: [UInt8] = []
    for key in keys {
      bytes += key
      bytes.append(0x0A)
    }
    return bytes.withUnsafeBytes { SHA256.of($0) }
  }

  private var attributeTable: String {
    let shown = attributes.prefix(60).map { "| \($0.name) | \($0.count) |" }
    let more = attributes.count > 60 ? "\n\n… and \(attributes.count - 60) more." : ""
    return "| attribute | pictures |\n|---|---:|\n" + shown.joined(separator: "\n") + more
  }

  private var pictureFacts: String {
    var states: [(String, Int)] = []
    for (state, word) in [
      (ImageState.readable, "readable"), (.unreadable, "broken"), (.missing, "missing"),
      (.found, "found, not decoded"), (.unknown, "not looked for"),
    ] {
      let count = samples.filter { $0.imageState == state }.count
      if count > 0 { states.append((word, count)) }
    }
    for flag in PictureFacts.Flag.allCases {
      let count = samples.filter { $0.imageFlags.contains(flag.rawValue) }.count
      if count > 0 { states.append((flag.rawValue, count)) }
    }
    var text = states.map { "* \($0.0): \($0.1)" }.joined(separator: "\n")
    let broken = samples.filter { $0.imageState == .unreadable }.prefix(20)
    for sample in broken { text += "\n* `\(sample.key)`: \(sample.imageReason ?? "broken")" }
    return text.isEmpty ? "None." : text
  }

  private var leaks: String {
    let blocks = [
      ("Inside the default scheme", audit.leaks),
      ("The same base name in two parts", audit.warnings), ("Between schemes", audit.between),
      ("Between lists", audit.lists),
    ].filter { !$0.1.isEmpty }
    let own = audit.leaks.isEmpty ? "The parts of the default scheme share no picture.\n\n" : ""
    return own
      + blocks.map { title, overlaps in
        "\(title):\n\n" + overlaps.map { "* \($0.text)" }.joined(separator: "\n")
      }.joined(separator: "\n\n")
  }

  private var defects: String {
    var lines = (manifest?.defects ?? []).map { "* known: \($0)" }
    if !quarantine.isEmpty {
      lines.append("* \(quarantine.count) lines of these files were set aside:")
      lines += SetAsideLine.texts(quarantine, most: 20).map { "  * \($0)" }
    }
    return lines.isEmpty ? "None known." : lines.joined(separator: "\n")
  }
}
