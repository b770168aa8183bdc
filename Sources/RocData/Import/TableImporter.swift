import RocDigest
import RocJSON
import RocScore
package import RocStore

/// Reads datasets whose labels are tables; the manifest says which files and columns.
package struct TableImporter {
  private let manifest: Manifest
  private let samples: TableSamples
  private let files: [String]
  private let range: ScoreRange

  /// - Throws: `DataError` when a required file or column is missing.
  package init(_ manifest: Manifest, source path: String) throws(DataError) {
    self.manifest = manifest
    let source = try SourceFolder(path)
    var samples = TableSamples()
    var wanted: [String] = []
    for table in manifest.tables ?? [] {
      if let other = table.unless, try source.find(other) != nil { continue }
      let files = source.matching(table.files)
      if files.isEmpty {
        wanted.append(table.files)
        guard table.required != true else {
          throw DataError(
            "\(path): no \(table.files); \(source.listing)", isMissing: true)
        }
      }
      for (file, star) in files {
        let reader = try TableReader("\(path)/\(file)", name: file, table: table)
        samples.add(reader, table: table, star: star)
      }
    }
    guard samples.rows > 0 else {
      throw DataError(
        "\(path): none of \(wanted.joined(separator: ", ")); \(source.listing)", isMissing: true)
    }
    self.samples = samples
    files = source.files
    let scores = samples.entries.compactMap(\.score)
    range = try Self.range(manifest, scores, path: path)
  }

  /// The first of the manifest's scales that holds every score.
  private static func range(
    _ manifest: Manifest, _ scores: [Double], path: String
  ) throws(DataError) -> ScoreRange {
    let scales =
      manifest.score.scales ?? [.init(low: manifest.score.low, high: manifest.score.high)]
    let ranges = scales.map { ScoreRange(low: $0.low, high: $0.high) }
    guard let range = ranges.first(where: { range in scores.allSatisfy(range.contains) }) else {
      let summary = ScoreSummary(scores)
      throw DataError(
        """
        \(path): scores from \(summary?.least ?? 0) to \(summary?.largest ?? 0) fit none of the \
        known scales \(ranges.map(\.description).joined(separator: ", "))
        """)
    }
    return range
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
    try store.write { db in
      var record = manifest.record(range: range)
      record.imageFolder = images?.path
      let writer = try DatasetWriter.open(record, replace: replace, db)
      var report = ImportReport(dataset: manifest.name)
      report.rows = samples.rows
      report.duplicates = samples.duplicates
      report.skipped = samples.skipped
      let ids = try write(writer, images: images, &report)
      try writeParts(writer, ids, &report)
      try writer.setQuarantine(
        of: files, report.skipped.map { ($0.file, $0.line, $0.reason, $0.content) })
      report.images = ids.count
      let totals = try writer.totals()
      report.scores = ScoreSummary(totals.scores)
      report.votes = totals.votes
      return report
    }
  }

  /// Rows by place in `samples.entries`; pictures that no table scores are set aside.
  private func write(
    _ writer: DatasetWriter, images: ImageFolder?, _ report: inout ImportReport
  ) throws -> [Int: Int64] {
    var ids: [Int: Int64] = [:]
    var missing: [String] = []
    for (place, entry) in samples.entries.enumerated() {
      let key = manifest.images.name.replacing("{id}", with: entry.key)
      guard let score = entry.score else {
        let at = entry.place.split(separator: ":")
        report.skipped.append(
          SkippedLine(
            file: String(at.first ?? ""), line: at.last.flatMap { Int($0) } ?? 0,
            reason: "no table gives \(key) a score", content: key))
        continue
      }
      let path = images?.path(of: key)
      if images != nil, path == nil { missing.append(key) }
      let id = try writer.addSample(
        key: key, score: score, votes: entry.votes,
        extra: entry.extra.isEmpty ? nil : JSON.object(entry.extra).line, path: path,
        looked: images != nil)
      for (name, value) in entry.attributes { try writer.setAttribute(id, name, value) }
      ids[place] = id
    }
    if images != nil { report.missingImages = missing }
    return ids
  }

  private func writeParts(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    var parts = samples.parts.map { ($0.name, $0.members) }
    if let seeded = manifest.seeded { parts += seededParts(seeded) }
    for (name, members) in parts {
      let pieces = name.split(separator: "/", maxSplits: 1).map(String.init)
      let rows = Set(members).compactMap { ids[$0] }.sorted()
      try writer.setMembers(pieces[0], pieces[1], rows)
      report.splits.append((pieces[0], pieces[1], rows.count))
    }
  }

  /// The pictures whose hash of seed and name is smallest are the test part.
  private func seededParts(_ seeded: Manifest.Seeded) -> [(String, [Int])] {
    let order = samples.entries.indices.map { place in
      (SHA256.of("\(seeded.seed):\(samples.entries[place].key)"), place)
    }.sorted { $0 < $1 }.map(\.1)
    let count = Int((Double(order.count) * seeded.test).rounded())
    return [
      ("\(seeded.scheme)/train", Array(order.dropFirst(count))),
      ("\(seeded.scheme)/test", Array(order.prefix(count))),
    ]
  }
}
