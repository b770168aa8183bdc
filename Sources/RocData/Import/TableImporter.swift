import RocJSON
import RocScore
package import RocStore

/// Reads datasets whose labels are tables; the manifest says which files and columns.
package struct TableImporter {
  let manifest: Manifest
  let source: SourceFolder
  let samples: TableSamples
  let ratings: [RatingTable]
  let range: ScoreRange
  let variant: Manifest.Variant?
  let notes: [String]

  /// - Throws: `DataError` when a required file or column is missing.
  package init(_ manifest: Manifest, source path: String) throws(DataError) {
    self.manifest = manifest
    let source = try SourceFolder(path, allowsFile: true)
    self.source = source
    var found = try TableFiles(manifest, source)
    var samples = TableSamples(leftOut: manifest.leftOut?.keys ?? [], keys: KeyRule(manifest))
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
    guard samples.entries.contains(where: { $0.score != nil }) else {
      let first = samples.skipped.first.map { "; \($0.file):\($0.line): \($0.reason)" } ?? ""
      throw DataError(
        "\(path): no labelled picture in \(found.names)\(first)", isMissing: samples.rows == 0)
    }
    if samples.leftOut > 0, let rule = manifest.leftOut {
      found.notes.append("\(samples.leftOut) pictures were left out: \(rule.reason)")
    }
    self.samples = samples
    self.ratings = ratings
    notes = found.notes
    variant = found.variant
    range = try Self.range(
      manifest, found.variant, samples.entries.compactMap(\.score), path: path)
  }

  /// The first of the manifest's scales that holds every score.
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
  func key(_ entry: TableSamples.Entry) -> String {
    manifest.images.name.replacing("{id}", with: entry.key)
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
      var record = manifest.record(range: range, variant: variant)
      record.imageFolder = images?.path
      let writer = try DatasetWriter.open(record, replace: replace, db)
      var report = ImportReport(dataset: manifest.name)
      report.rows =
        samples.rows + (samples.rows == 0 ? ratings.reduce(0) { $0 + $1.rowCount() } : 0)
      report.duplicates = samples.duplicates
      report.skipped = samples.skipped
      report.notes = notes
      try writer.expect(samples.entries.count)
      let ids = try write(writer, images: images, &report)
      try writer.finish()
      for (place, entry) in samples.entries.enumerated() {
        guard let id = ids[place] else { continue }
        for (name, value) in entry.attributes { try writer.setAttribute(id, name, value) }
      }
      try writeRaters(writer, ids, &report)
      try writer.setQuarantine(
        of: source.files, report.skipped.map { ($0.file, $0.line, $0.reason, $0.content) })
      report.images = ids.count
      let totals = try writer.totals()
      report.scores = ScoreSummary(totals.scores)
      report.votes = totals.votes
      return report
    }
  }

  /// Pictures that are the labels themselves need not be named a second time.
  private func ownPictures() throws -> ImageFolder? {
    let isByPath = (manifest.tables ?? []).contains { $0.format == .paths }
    return isByPath ? try ImageFolder(source.path) : nil
  }

  /// Rows by place in `samples.entries`; pictures that no table scores are set aside.
  private func write(
    _ writer: DatasetWriter, images: ImageFolder?, _ report: inout ImportReport
  ) throws -> [Int: Int64] {
    var ids: [Int: Int64] = [:]
    ids.reserveCapacity(samples.entries.count)
    var missing: [String] = []
    var unlabelled: [String: Int] = [:]
    for (place, entry) in samples.entries.enumerated() {
      let key = key(entry)
      guard let score = entry.score else {
        // Listed or rated, but without a label: counted, no failure.
        let file = String(entry.place.prefix { $0 != ":" })
        unlabelled[file.isEmpty ? "ratings" : file, default: 0] += 1
        continue
      }
      let path = images?.path(of: key)
      if images != nil, path == nil { missing.append(key) }
      let id = try writer.addSample(
        key: key, score: score, votes: variant == nil ? entry.votes : nil,
        extra: entry.extra.isEmpty ? nil : JSON.object(entry.extra).line, path: path,
        looked: images != nil)
      ids[place] = id
    }
    if images != nil { report.missingImages = missing }
    for (file, count) in unlabelled.sorted(by: { $0.key < $1.key }) {
      report.unlabelled.append((file, count))
    }
    return ids
  }

  /// Ratings and what is known about raters, then the parts of all schemes.
  private func writeRaters(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    var rated: [String: Set<Int>] = [:]
    let places = Dictionary(uniqueKeysWithValues: ids.map { ($0.value, $0.key) })
    for table in ratings {
      let given = try table.write(writer) { key in
        samples.knownPlace(of: key).flatMap { ids[$0] }
      }
      for (rater, pictures) in given {
        rated[rater, default: []].formUnion(pictures.compactMap { places[$0] })
      }
    }
    try writeRaterTables(writer, &report)
    var parts = TableParts(samples) { ids[$0] != nil }
    if let rule = manifest.byRaters, !rated.isEmpty {
      parts.add(rule, rated: rated, all: ids.keys.sorted())
    }
    for scheme in manifest.derived ?? [] {
      parts.add(scheme) { file in
        guard let found = try? source.find(file), let names = try? NameList.read(found) else {
          return nil
        }
        let listed = Set(names)
        return samples.entries.indices.filter { place in
          let entry = samples.entries[place]
          let base = entry.key.split(separator: "/").last.map(String.init) ?? entry.key
          return ids[place] != nil && (listed.contains(entry.key) || listed.contains(base))
        }
      }
    }
    for (name, members) in parts.parts {
      let pieces = name.split(separator: "/", maxSplits: 1).map(String.init)
      let rows = Set(members.compactMap { ids[$0] })
      try writer.setMembers(pieces[0], pieces[1], Array(rows))
      report.splits.append((pieces[0], pieces[1], rows.count))
    }
    try writeSeeded(writer, ids, parts, &report)
  }

  /// The division by hash, of all pictures of the dataset: those of earlier sources, too.
  private func writeSeeded(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ parts: TableParts,
    _ report: inout ImportReport
  ) throws {
    guard let rule = manifest.seeded, !parts.has(rule.scheme) else { return }
    var isTest: [Int64: Bool] = [:]
    for sample in writer.before {
      let extra = rule.group == nil ? nil : sample.extra.flatMap { try? JSON.parse($0) }
      isTest[sample.row] = rule.isTest(sample.key, group: rule.group.flatMap { extra?[$0]?.string })
    }
    for (place, row) in ids {
      let entry = samples.entries[place]
      let group = rule.group.flatMap { name in entry.extra.first { $0.name == name } }
      isTest[row] = rule.isTest(key(entry), group: group?.value.string)
    }
    for (part, value) in [("train", false), ("test", true)] {
      let rows = isTest.filter { $0.value == value }.map(\.key)
      try writer.setMembers(rule.scheme, part, rows)
      report.splits.append((rule.scheme, part, rows.count))
    }
  }

  private func writeRaterTables(
    _ writer: DatasetWriter, _ report: inout ImportReport
  ) throws {
    for table in manifest.raterTables ?? [] {
      for pattern in table.files.all {
        for (file, _) in source.matching(pattern) {
          let reader = try TableReader(
            "\(source.path)/\(file)", name: file,
            table: .init(plain: Manifest.Names([table.key]), format: table.format))
          var failure: (any Error)?
          var skipped: [SkippedLine] = []
          skipped += reader.eachRow { row in
            guard failure == nil else { return }
            do {
              let name = try KeyRule(manifest).rater(row, reader, table.key)
              let members = reader.header.filter { $0 != table.key }.map {
                JSON.Member($0, .string(reader.field(row, $0) ?? ""))
              }
              _ = try writer.rater(name, extra: JSON.object(members).line)
            } catch let error as DataError {
              skipped.append(
                SkippedLine(
                  file: reader.name, line: row.line, reason: error.message,
                  content: row.fields.joined(separator: ",")))
            } catch {
              failure = error
            }
          }
          if let failure { throw failure }
          report.skipped += skipped
        }
      }
    }
    for scheme in manifest.raterSchemes ?? [] {
      for part in scheme.parts {
        guard let path = try source.find(part.list) else { continue }
        let names = try NameList.read(path)
        try writer.setRaterMembers(scheme.name, part.part, names)
        report.splits.append((scheme.name, part.part, names.count))
        let note = "\(scheme.name) divides raters, not pictures"
        if !report.notes.contains(note) { report.notes.append(note) }
      }
    }
  }
}
