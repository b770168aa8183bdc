import RocScore
package import RocStore

/// Reads AVA's label package in its download layout.
///
/// Files are parsed before the transaction begins; the database then takes all of it or nothing.
package struct AVAImporter {
  private let manifest: Manifest
  private let source: SourceFolder
  private let labels: AVALabels
  private let vocabularies: [(kind: String, names: [(number: Int, name: String)])]
  private let lists: [String: IDList]
  private let tags: [(kind: String, id: Int, numbers: [Int])]
  private var report: ImportReport

  /// - Throws: `DataError` when AVA.txt is missing or a file cannot be read.
  package init(_ manifest: Manifest, source path: String) throws(DataError) {
    self.manifest = manifest
    let source = try SourceFolder(path)
    self.source = source
    var report = ImportReport(dataset: manifest.name)
    labels = AVALabels(try Self.labelFile(manifest, source))
    report.skipped = labels.skipped
    vocabularies = try Self.vocabularies(manifest, source, &report)
    let lists = try Self.lists(manifest, source, &report)
    self.lists = lists
    tags = try Self.tags(manifest, source, lists, vocabularies, &report)
    self.report = report
  }

  /// Named AVA.txt, or else any text file whose lines have its 15 numbers.
  private static func labelFile(
    _ manifest: Manifest, _ source: SourceFolder
  ) throws(DataError) -> LineReader {
    guard let labels = manifest.labels else {
      throw DataError("manifests/\(manifest.name).yaml: importer ava needs labels")
    }
    if let path = try source.find(labels.file) {
      return try LineReader(path, name: source.relative(path))
    }
    for file in source.files where file.lowercased().hasSuffix(".txt") {
      let reader = try LineReader("\(source.path)/\(file)", name: file)
      if AVALabels.recognises(reader) { return reader }
    }
    throw DataError(
      """
      \(source.path): no \(labels.file) (\(labels.description)); \
      \(source.listing)
      """, isMissing: true)
  }

  private static func vocabularies(
    _ manifest: Manifest, _ source: SourceFolder, _ report: inout ImportReport
  ) throws(DataError) -> [(kind: String, names: [(number: Int, name: String)])] {
    var result: [(kind: String, names: [(number: Int, name: String)])] = []
    for vocabulary in manifest.vocabularies ?? [] {
      guard let path = try source.find(vocabulary.file) else { continue }
      let file = VocabularyFile(try LineReader(path, name: source.relative(path)))
      report.skipped += file.skipped
      result.append((vocabulary.kind, file.names))
    }
    return result
  }

  private static func lists(
    _ manifest: Manifest, _ source: SourceFolder, _ report: inout ImportReport
  ) throws(DataError) -> [String: IDList] {
    var lists: [String: IDList] = [:]
    for file in (manifest.schemes ?? []).flatMap(\.parts).compactMap(\.list)
    where lists[file] == nil {
      guard let path = try source.find(file) else { continue }
      let list = IDList(try LineReader(path, name: source.relative(path)))
      report.skipped += list.skipped
      lists[file] = list
    }
    return lists
  }

  private static func tags(
    _ manifest: Manifest, _ source: SourceFolder, _ lists: [String: IDList],
    _ vocabularies: [(kind: String, names: [(number: Int, name: String)])],
    _ report: inout ImportReport
  ) throws(DataError) -> [(kind: String, id: Int, numbers: [Int])] {
    var result: [(kind: String, id: Int, numbers: [Int])] = []
    for entry in manifest.tags ?? [] {
      guard let ids = lists[entry.ids], let path = try source.find(entry.labels) else { continue }
      let size = vocabularies.first { $0.kind == entry.kind }?.names.count ?? 0
      let places = Dictionary(zip(ids.lines, ids.ids), uniquingKeysWith: { first, _ in first })
      let reader = try LineReader(path, name: source.relative(path))
      var numbers: [Int] = []
      reader.eachLine { number, line in
        let field = splitIntegers(line, into: &numbers)
        if field == nil, numbers.isEmpty { return }
        func skip(_ reason: String) {
          report.skipped.append(
            SkippedLine(
              file: reader.name, line: number, reason: reason,
              content: String(decoding: line, as: UTF8.self)))
        }
        guard let id = places[number] else {
          return skip("there is no line \(number) in \(entry.ids)")
        }
        if field == nil, numbers.count == 1, (1...max(size, 1)).contains(numbers[0]) {
          result.append((entry.kind, id, numbers))
        } else if field == nil, numbers.count == size, numbers.allSatisfy({ $0 == 0 || $0 == 1 }) {
          result.append(
            (entry.kind, id, numbers.indices.filter { numbers[$0] == 1 }.map { $0 + 1 }))
        } else {
          skip("expected a number from 1 to \(size), or \(size) of 0 and 1")
        }
      }
    }
    return result
  }

  /// Puts everything into the database in one transaction.
  ///
  /// - Parameters:
  ///   - store: Where to.
  ///   - images: Where the pictures are; nil leaves what is known about them.
  ///   - replace: Removes what an earlier import stored instead of refusing other votes.
  /// - Returns: What was found; the same for a second import, which changes nothing.
  /// - Throws: `StoreError` when the database cannot take it or holds other labels.
  package func run(
    into store: Store, images: ImageFolder?, replace: Bool
  ) throws -> ImportReport {
    try store.write { db in
      var record = manifest.record
      record.imageFolder = images?.path
      let writer = try DatasetWriter.open(record, replace: replace, db)
      var report = report
      report.rows = labels.lineCount
      report.duplicates = labels.duplicates
      let ids = try writeSamples(writer, images: images, &report)
      for (kind, names) in vocabularies { try writer.setVocabulary(kind, names) }
      try writeSchemes(writer, ids, &report)
      try writeTags(writer, ids)
      try writer.setQuarantine(
        report.skipped.map { ($0.file, $0.line, $0.reason, $0.content) })
      let all = try SampleRecord.fetch(db, dataset: writer.dataset)
      report.images = ids.count
      report.scores = ScoreSummary(all.map(\.score))
      report.votes = all.reduce(0) { $0 + ($1.votes?.reduce(0, +) ?? 0) }
      return report
    }
  }

  private func writeSamples(
    _ writer: DatasetWriter, images: ImageFolder?, _ report: inout ImportReport
  ) throws -> [Int: Int64] {
    var ids: [Int: Int64] = [:]
    var missing: [String] = []
    for row in labels.rows {
      let key = manifest.images.name.replacing("{id}", with: String(row.id))
      let path = images?.path(of: key)
      if images != nil, path == nil { missing.append(key) }
      ids[row.id] = try writer.addSample(
        key: key, score: VoteHistogram(counts: row.votes).mean ?? 0, votes: row.votes,
        extra: row.extra, path: path, looked: images != nil)
    }
    if images != nil { report.missingImages = missing }
    return ids
  }

  private func writeSchemes(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    for list in lists.sorted(by: { $0.key < $1.key }).map(\.value) {
      let unlabelled = list.ids.filter { ids[$0] == nil }.count
      try writer.setList(list.name, listed: list.ids.count, unlabelled: unlabelled)
      report.unlabelled.append((list.name, unlabelled))
    }
    for scheme in manifest.schemes ?? [] {
      let needed = scheme.parts.compactMap(\.list)
      guard needed.allSatisfy({ lists[$0] != nil }) else { continue }
      var listed: Set<Int> = []
      for part in scheme.parts {
        for id in part.list.flatMap({ lists[$0]?.ids }) ?? [] { listed.insert(id) }
      }
      for part in scheme.parts {
        let members =
          part.list.flatMap { lists[$0]?.ids.compactMap { ids[$0] } }
          ?? labels.rows.filter { !listed.contains($0.id) }.compactMap { ids[$0.id] }
        try writer.setMembers(scheme.name, part.part, members)
        report.splits.append((scheme.name, part.part, members.count))
      }
    }
  }

  private func writeTags(_ writer: DatasetWriter, _ ids: [Int: Int64]) throws {
    for (kind, id, numbers) in tags {
      guard let sample = ids[id] else { continue }
      let names = vocabularies.first { $0.kind == kind }?.names ?? []
      for number in numbers {
        let name = names.first { $0.number == number }?.name ?? String(number)
        try writer.setAttribute(sample, "\(kind)/\(name)", 1)
      }
    }
  }
}

extension SourceFolder {
  /// A path below the folder, for messages.
  func relative(_ file: String) -> String {
    file.hasPrefix("\(path)/") ? String(file.dropFirst(path.count + 1)) : file
  }
}
