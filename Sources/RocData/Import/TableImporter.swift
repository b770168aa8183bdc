import RocJSON
import RocNames
import RocScore
package import RocStore
package import RocTables

/// Reads datasets whose labels are tables; the manifest says which files and columns.
package struct TableImporter {
  let manifest: Manifest
  let source: SourceFolder
  private(set) var samples: TableSamples
  let ratings: [RatingTable]
  let range: ScoreRange
  let variant: Manifest.Variant?
  let notes: [String]
  /// Whether this source gives scores; if not, it adds to a dataset that is stored.
  private let hasLabels: Bool
  private let allowsSameNames: Bool
  /// What was looked for in vain in a source without labels.
  private let wanted: String

  /// - Parameters:
  ///   - manifest: Says which files and columns.
  ///   - path: The folder of the files, or one file.
  ///   - onlyFolder: Takes only pictures whose first folder this is.
  ///   - allowsSameNames: Takes pictures that seem to be stored under other names.
  /// - Throws: `DataError` when every file of labels or a column is missing, and where files hold several
  ///   datasets or scales.
  package init(
    _ manifest: Manifest, source path: String, onlyFolder: String? = nil,
    allowsSameNames: Bool = false
  ) throws(DataError) {
    self.allowsSameNames = allowsSameNames
    self.manifest = manifest
    let source = try SourceFolder(path, allowsFile: true)
    self.source = source
    var found = try TableFiles(manifest, source)
    var samples = TableSamples(
      leftOut: manifest.leftOut?.keys ?? [], keys: KeyRule(manifest),
      groups: manifest.groupColumns, bins: manifest.votes,
      takesUnlabelled: manifest.takesUnlabelled == true, scale: manifest.onlyScale)
    for line in found.skipped { samples.skip(line) }
    for (reader, star) in found.readers where reader.table.rater == nil {
      samples.add(reader, star: star)
    }
    var ratings: [RatingTable] = []
    for (reader, _) in found.readers where reader.table.rater != nil {
      let table = RatingTable(reader, manifest)
      table.gather(into: &samples)
      ratings.append(table)
    }
    if let onlyFolder { try samples.keep(folder: onlyFolder, of: path) }
    try SourceMixture(samples, manifest).check(path)
    hasLabels = samples.entries.contains { $0.score != nil }
    // Lists, ratings and attributes may come after the labels, in a source of their own.
    guard hasLabels || (samples.rows == 0 && !ratings.contains(where: \.givesLabels)) else {
      let first = samples.skipped.first.map { "; \($0.file):\($0.line): \($0.reason)" } ?? ""
      throw DataError(
        "\(path): no labelled picture in \(found.names)\(first)",
        isMissing: samples.rows == 0 && ratings.isEmpty)
    }
    if samples.leftOut > 0, let rule = manifest.leftOut {
      found.notes.append("\(samples.leftOut) pictures were left out: \(rule.reason)")
    }
    self.samples = samples
    self.ratings = ratings
    variant = found.variant
    wanted = found.wanted
    range =
      hasLabels
      ? try Self.range(manifest, found.variant, samples.entries.compactMap(\.score), path: path)
      : ScoreRange(low: manifest.score.low, high: manifest.score.high)
    if hasLabels, (manifest.score.scales?.count ?? 0) > 1, found.variant == nil {
      let summary = ScoreSummary(samples.entries.compactMap(\.score))
      found.notes.append(
        """
        scores from \(ScoreRange.short(summary?.least ?? 0)) to \
        \(ScoreRange.short(summary?.largest ?? 0)) are taken to be on the scale \(range); \
        --min-score and --max-score state another
        """)
    }
    let isDMOS = found.readers.contains { reader, _ in
      reader.score?.all.first?.lowercased() == "dmos"
    }
    if isDMOS, manifest.isGeneric == true, manifest.score.direction == .higher {
      found.notes.append(
        "the scores are called DMOS, of which the lower is often the better; taken as higher is better, --lower-is-better says otherwise"
      )
    }
    notes = found.notes
  }

  /// The scale of the labels: the variant's, or the first of the manifest's that holds every score.
  private static func range(
    _ manifest: Manifest, _ variant: Manifest.Variant?, _ scores: [Double], path: String
  ) throws(DataError) -> ScoreRange {
    let scales =
      variant.map { [.init(low: $0.low, high: $0.high)] } ?? manifest.score.scales
      ?? [.init(low: manifest.score.low, high: manifest.score.high)]
    let ranges = scales.map { ScoreRange(low: $0.low, high: $0.high) }
    guard let range = ranges.first(where: { range in scores.allSatisfy(range.contains) }) else {
      let summary = ScoreSummary(scores)
      throw DataError(
        """
        \(path): scores from \(summary?.least ?? 0) to \(summary?.largest ?? 0) fit none of the \
        known scales \(ranges.map(\.description).joined(separator: ", ")); \
        --min-score and --max-score state another
        """)
    }
    return range
  }

  /// A picture's path in the database.
  func key(_ entry: TableSamples.Entry) -> ImageKey {
    // Some files write the ending that others leave out.
    let hasEnding = PathName.pictureEndings.contains(PathName.ending(entry.key.text))
    return hasEnding && manifest.images.name.utf8.starts(with: "{id}.".utf8)
      ? entry.key : ImageKey(manifest.images.name.replacing("{id}", with: entry.key.text))
  }

  /// Puts everything into the database in one transaction.
  ///
  /// - Parameters:
  ///   - store: Where to.
  ///   - images: Where the pictures are; nil leaves what is known about them.
  ///   - replace: Removes what an earlier import stored instead of refusing other labels.
  /// - Returns: What was found; the same for a second import, which changes nothing.
  /// - Throws: `StoreError` when the database cannot take it or holds other labels.
  package func run(
    into store: Store, images: ImageFolder?, replace: Bool
  ) throws -> ImportReport {
    let images = try images ?? ownPictures()
    return try store.write { db in
      let writer: DatasetWriter
      if hasLabels {
        var record = manifest.record(range: range, variant: variant)
        record.imageFolder = images?.path
        writer = try DatasetWriter.open(record, replace: replace, keepsScheme: true, db)
      } else if let stored = try DatasetRecord.named(manifest.name, db) {
        guard images == nil else {
          throw DataError(
            "\(source.path): has no labels; give --images with the label files", isUsage: true)
        }
        writer = try DatasetWriter.open(stored, replace: false, db)
      } else {
        throw DataError(wanted, isMissing: true)
      }
      var report = ImportReport(dataset: manifest.name)
      report.rows =
        samples.rows + (samples.rows == 0 ? ratings.reduce(0) { $0 + $1.rowCount() } : 0)
      report.duplicates = samples.duplicates
      report.skipped = samples.skipped
      report.notes = notes
      let waiting = try writer.waiting()
      var importer = self
      Self.adopt(waiting, &importer.samples, key: key)
      try importer.write(writer, images: images, waiting, &report)
      try writer.setQuarantine(of: source.files, report.skipped)
      let totals = try writer.totals()
      report.scores = ScoreSummary(totals.scores)
      report.votes = totals.votes
      return report
    }
  }

  /// Pictures, what is known about them, and their parts.
  private func write(
    _ writer: DatasetWriter, images: ImageFolder?,
    _ waiting: [ImageKey: [DatasetWriter.Waiting]], _ report: inout ImportReport
  ) throws {
    try writer.expect(samples.entries.count)
    let ids = try write(writer, images: images, &report)
    try writer.finish()
    let known = try writer.knownAttributes()
    for (place, entry) in samples.entries.enumerated() {
      guard let id = ids[place] else { continue }
      for (name, value) in entry.attributes {
        if let before = known[id]?[name] {
          // One copy of the labels may have fewer decimals than another; the first one counts.
          guard abs(before - value) > 1e-3 * max(1, abs(before)) else { continue }
          report.skipped.append(
            TableSamples.contradiction(
              entry, "\(entry.key) has \(name) \(value) here and \(before) in the database"))
          continue
        }
        try writer.setAttribute(id, name, value)
      }
      for (name, counts) in entry.attributeVotes.sorted(by: { $0.key < $1.key }) {
        try writer.setAttributeVotes(id, name, counts)
      }
    }
    try writeRatings(waiting, writer, ids)
    try writeRaters(writer, ids, &report)
    try writer.endWaiting()
    report.images = hasLabels ? ids.count : 0
  }

  /// Pictures that are the labels themselves need not be named a second time.
  private func ownPictures() throws -> ImageFolder? {
    let isByPath = (manifest.tables ?? []).contains { $0.format == .paths }
    return isByPath ? try ImageFolder(source.path) : nil
  }

  /// Rows by place in `samples.entries`; pictures that nothing scores are counted.
  private func write(
    _ writer: DatasetWriter, images: ImageFolder?, _ report: inout ImportReport
  ) throws -> [Int: Int64] {
    var ids: [Int: Int64] = [:]
    ids.reserveCapacity(samples.entries.count)
    var unlabelled: [ExactText: Int] = [:]
    var waitingParts: [Int: [String]] = [:]
    for (name, members) in samples.parts {
      for place in members where samples.entries[place].score == nil {
        waitingParts[place, default: []].append(name)
      }
    }
    let stored = Dictionary(
      writer.before.map { ($0.key, $0) }, uniquingKeysWith: { a, _ in a })
    if !allowsSameNames, manifest.images.namesArePhotos != true {
      var same = SamePictures()
      for sample in writer.before.sorted(by: { $0.key < $1.key }) {
        same.store(sample.key, sample.score)
      }
      for entry in samples.entries {
        guard let score = entry.score, stored[key(entry)] == nil else { continue }
        same.add(key(entry), score, from: TableSamples.file(entry.place))
      }
      try same.check(source.path)
    }
    let labelled = samples.entries.indices.filter { samples.entries[$0].score != nil }
    let found = images.map { ImageMatches($0, labelled.map { key(samples.entries[$0]) }) }
    var next = 0
    for (place, entry) in samples.entries.enumerated() {
      let key = key(entry)
      guard let score = entry.score else {
        // An earlier source may have scored it; else it is listed or rated without a label:
        // counted, not a failure.
        if let known = stored[key] {
          ids[place] = known.row
          let extra = Self.extra(entry.extra, known.extra)
          if let extra, known.extra.map({ extra.isExactly($0) }) != true {
            try writer.setExtra(known.row, extra)
          }
          if let votes = entry.votes, variant == nil { try writer.setVotes(of: key, votes) }
        } else {
          try wait(entry, parts: waitingParts[place] ?? [], writer)
          let file = TableSamples.file(entry.place).text
          unlabelled[file.isEmpty ? "ratings" : file, default: 0] += 1
        }
        continue
      }
      let path = found?.paths[next]
      next += 1
      let sample = DatasetWriter.NewSample(
        key: key, score: score, votes: variant == nil ? entry.votes : nil,
        extra: Self.extra(entry.extra, stored[key]?.extra))
      ids[place] = try writer.addSample(sample, path: path ?? nil, looked: images != nil)
    }
    if let found {
      report.missingImages = found.missing
      report.notes += found.notes
    }
    for (file, count) in unlabelled.sorted(by: { $0.key < $1.key }) {
      report.unlabelled.append((file.text, count))
    }
    return ids
  }

  /// What is kept of a picture besides its labels: the columns of this source and those that
  /// earlier ones brought, by name, so that sources may come in any order.
  private static func extra(_ members: [JSON.Member], _ stored: String?) -> String? {
    var all = members
    // As within one source, what was said first counts.
    for member in stored.flatMap({ try? JSON.parse($0).members }) ?? [] {
      all.removeAll { $0.name.isExactly(member.name) }
      all.append(member)
    }
    all.sort { ExactText($0.name) < ExactText($1.name) }
    return all.isEmpty ? nil : JSON.object(all).line
  }
}
