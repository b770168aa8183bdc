import RocScore
package import RocStore

/// Reads AVA's label package in its download layout, or the lists of another division of it.
///
/// Files are parsed before the transaction begins; the database then takes all of it or nothing.
package struct AVAImporter {
  private let manifest: Manifest
  private let source: SourceFolder
  /// Nil for a source that only has lists, which add to a dataset that is stored.
  private let labels: AVALabels?
  /// The schemes whose lists this source has.
  private let schemes: [Manifest.Scheme]
  private let vocabularies: [(kind: String, names: [(number: Int, name: String)])]
  private let lists: [String: IDList]
  private let tags: [(kind: String, id: Int, numbers: [Int])]
  /// What stands before and after the id in a picture's name.
  private let keyStart: String
  private let keyEnd: String
  private var report: ImportReport

  /// - Throws: `DataError` when AVA.txt is missing or a file cannot be read.
  package init(_ manifest: Manifest, source path: String) throws(DataError) {
    self.manifest = manifest
    let name = manifest.images.name
    let mark = name.firstRange(of: "{id}") ?? name.endIndex..<name.endIndex
    keyStart = String(name[..<mark.lowerBound])
    keyEnd = String(name[mark.upperBound...])
    let source = try SourceFolder(path)
    self.source = source
    var report = ImportReport(dataset: manifest.name)
    vocabularies = try Self.vocabularies(manifest, source, &report)
    let (schemes, lists) = try Self.lists(manifest, source, &report)
    self.schemes = schemes
    self.lists = lists
    if let file = try Self.labelFile(manifest, source, isNeeded: lists.isEmpty) {
      let labels = AVALabels(file)
      guard !labels.rows.isEmpty else {
        let first = labels.skipped.first.map { "; line \($0.line): \($0.reason)" } ?? ""
        throw DataError(
          "\(path)/\(file.name): no labelled picture in \(labels.lineCount) lines\(first)")
      }
      report.skipped = labels.skipped + report.skipped
      self.labels = labels
    } else {
      labels = nil
    }
    tags = try Self.tags(manifest, source, lists, vocabularies, &report)
    self.report = report
  }

  /// Named AVA.txt, or else any text file whose lines have its 15 numbers.
  private static func labelFile(
    _ manifest: Manifest, _ source: SourceFolder, isNeeded: Bool
  ) throws(DataError) -> LineReader? {
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
    guard isNeeded else { return nil }
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

  /// The lists of this source and the schemes that they make.
  private static func lists(
    _ manifest: Manifest, _ source: SourceFolder, _ report: inout ImportReport
  ) throws(DataError) -> ([Manifest.Scheme], [String: IDList]) {
    var lists: [String: IDList] = [:]
    for scheme in manifest.schemes ?? [] {
      for file in scheme.parts.compactMap(\.list) where lists[file] == nil {
        guard let path = try source.find(file) else { continue }
        let list = IDList(try LineReader(path, name: source.relative(path)), of: scheme.name)
        report.skipped += list.skipped
        lists[file] = list
      }
    }
    // A scheme may lack a list, as when a large one was left out, but not the one that tells it
    // from another scheme.
    let all = (manifest.schemes ?? []).map { (scheme: $0, files: Set($0.parts.compactMap(\.list))) }
    let schemes = all.filter { own in
      let shared = all.filter { $0.files != own.files }.reduce(into: Set<String>()) {
        $0.formUnion($1.files)
      }
      let present = own.files.filter { lists[$0] != nil }
      return !present.isEmpty && (present == own.files || !present.isSubset(of: shared))
    }.map(\.scheme)
    let told = schemes.filter { scheme in
      let test = scheme.parts.first { $0.part == "test" }?.list
      return scheme.testRows != nil && scheme.testRows == test.flatMap { lists[$0]?.ids.count }
    }
    // Schemes with the same file names: the one whose test list has its known length, else the
    // one that claims no length.
    let taken = Set(told.flatMap { $0.parts.compactMap(\.list) })
    let chosen = schemes.filter { scheme in
      let files = scheme.parts.compactMap(\.list)
      return scheme.testRows != nil
        ? told.contains { $0.name == scheme.name } : !files.contains { taken.contains($0) }
    }
    for scheme in chosen {
      for file in scheme.parts.compactMap(\.list) { lists[file]?.rename(scheme.name) }
    }
    return (chosen, lists)
  }

  private static func tags(
    _ manifest: Manifest, _ source: SourceFolder, _ lists: [String: IDList],
    _ vocabularies: [(kind: String, names: [(number: Int, name: String)])],
    _ report: inout ImportReport
  ) throws(DataError) -> [(kind: String, id: Int, numbers: [Int])] {
    var result: [(kind: String, id: Int, numbers: [Int])] = []
    for entry in manifest.tags ?? [] {
      guard let ids = lists[entry.ids], let path = try source.find(entry.labels) else { continue }
      guard let size = vocabularies.first(where: { $0.kind == entry.kind })?.names.count else {
        report.notes.append(
          "\(entry.labels) was not read: the names of its numbers are not in the source")
        continue
      }
      let places = Dictionary(zip(ids.lines, ids.ids), uniquingKeysWith: { first, _ in first })
      let reader = try LineReader(path, name: source.relative(path))
      var numbers: [Int] = []
      var lineCount = 0
      reader.eachLine { number, line in
        lineCount = number
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
      if let last = ids.lines.last, lineCount < last {
        report.skipped.append(
          SkippedLine(
            file: reader.name, line: lineCount,
            reason: "the file ends here, \(entry.ids) goes on to line \(last)", content: ""))
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
      guard try labels != nil || DatasetRecord.named(manifest.name, db) != nil else {
        throw DataError(
          """
          \(source.path): has lists but no \(manifest.labels?.file ?? "labels"); import the label \
          package first, then these lists
          """, isMissing: true)
      }
      var record = manifest.record
      // Without labels nobody looks for pictures, so the folder says nothing.
      if labels == nil, images != nil {
        throw DataError(
          "\(source.path): has lists only; give --images with the label package", isUsage: true)
      }
      record.imageFolder = images?.path
      let writer = try DatasetWriter.open(record, replace: replace && labels != nil, db)
      var report = report
      report.rows = labels?.lineCount ?? 0
      report.duplicates = labels?.duplicates ?? 0
      // What earlier imports stored, for sources that have lists only.
      var ids: [Int: Int64] = [:]
      ids.reserveCapacity(labels?.rows.count ?? 0)
      for (key, row) in writer.samples {
        if let id = Int(key.prefix { $0 != "." }) { ids[id] = row }
      }
      try writer.expect(labels?.rows.count ?? 0)
      try writeSamples(writer, images: images, &ids, &report)
      try writer.finish()
      for (kind, names) in vocabularies { try writer.setVocabulary(kind, names) }
      try writeSchemes(writer, ids, &report)
      try writeTags(writer, ids)
      compareVotes(writer, &report)
      try writer.setQuarantine(
        of: source.files, report.skipped.map { ($0.file, $0.line, $0.reason, $0.content) })
      report.images = labels?.rows.count ?? 0
      if !report.splits.contains(where: { $0.scheme == manifest.defaultScheme }), labels != nil {
        let files = (manifest.schemes ?? []).first { $0.name == manifest.defaultScheme }?.parts
          .compactMap(\.list).joined(separator: ", ")
        report.notes.append(
          """
          there is no \(manifest.defaultScheme) split: \(files ?? "its list") is not in the \
          source; import a folder that has it
          """)
      }
      let totals = try writer.totals()
      report.scores = ScoreSummary(totals.scores)
      report.votes = totals.votes
      return report
    }
  }

  private func key(_ id: Int) -> String { keyStart + String(id) + keyEnd }

  private func writeSamples(
    _ writer: DatasetWriter, images: ImageFolder?, _ ids: inout [Int: Int64],
    _ report: inout ImportReport
  ) throws {
    var missing: [String] = []
    let rows = labels?.rows ?? []
    let (start, end) = (keyStart, keyEnd)
    let pieces = (0...16).map { rows.count * $0 / 16 }
    let blocks = Parallel.map(Array(0..<16), jobs: 16) { piece in
      rows[pieces[piece]..<pieces[piece + 1]].map { row in
        DatasetWriter.NewSample(
          key: start + String(row.id) + end, score: VoteHistogram(counts: row.votes).mean ?? 0,
          votes: row.votes, extra: row.extra)
      }
    }
    for (row, new) in zip(rows, blocks.joined()) {
      let path = images?.path(of: new.key)
      if images != nil, path == nil { missing.append(new.key) }
      do {
        ids[row.id] = try writer.addSample(new, path: path, looked: images != nil)
      } catch let error as StoreError {
        throw StoreError("\(source.path): row \(row.line): \(error.message)")
      }
    }
    if images != nil { report.missingImages = missing }
  }

  /// A part is written when its list is there; the rest, when all lists of its scheme are.
  private func writeSchemes(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    let used = Set(schemes.flatMap { $0.parts.compactMap(\.list) })
    for (file, list) in lists.sorted(by: { $0.value.name < $1.value.name })
    where used.contains(file) {
      let unlabelled = list.ids.filter { ids[$0] == nil }.count
      try writer.setList(list.name, keys: list.ids.map(key), unlabelled: unlabelled)
      report.unlabelled.append((list.name, unlabelled))
    }
    for scheme in schemes {
      let files = scheme.parts.compactMap(\.list)
      let isWhole = files.allSatisfy { lists[$0] != nil }
      let listed = Set(files.flatMap { lists[$0]?.ids ?? [] })
      for part in scheme.parts {
        let members: [Int64]
        if let file = part.list {
          guard let list = lists[file] else { continue }
          members = list.ids.compactMap { ids[$0] }
        } else {
          guard isWhole else { continue }
          // The labels' order is that of the rows, which then need no sorting.
          let all = labels?.rows.map(\.id) ?? Array(ids.keys)
          members = all.lazy.filter { !listed.contains($0) }.compactMap { ids[$0] }
        }
        try writer.setMembers(scheme.name, part.part, members)
        report.splits.append((scheme.name, part.part, members.count))
      }
    }
  }

  /// A list that repeats the votes shows at once when one of two copies is scrambled.
  private func compareVotes(_ writer: DatasetWriter, _ report: inout ImportReport) {
    let own = lists.values.contains { !$0.votes.isEmpty } ? labels?.rows ?? [] : []
    let known = Dictionary(own.map { ($0.id, $0.votes) }, uniquingKeysWith: { first, _ in first })
    for list in lists.values.sorted(by: { $0.name < $1.name }) {
      for (id, line) in zip(list.ids, list.lines) {
        guard let votes = list.votes[id],
          let stored = known[id] ?? writer.votes(of: key(id)),
          votes != stored
        else { continue }
        report.skipped.append(
          SkippedLine(
            file: list.file, line: line,
            reason: "image \(id) has the votes \(votes) here and \(stored) in the database",
            content: ""))
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
