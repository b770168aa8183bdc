import RocNames
import RocScore
package import RocStore
package import RocTables

/// Reads AVA's label package in its download layout, or the lists of another division of it.
///
/// Files are parsed before the transaction begins; the database then takes all of it or nothing.
package struct AVAImporter {
  let manifest: Manifest
  let source: SourceFolder
  /// Nil for a source that only has lists, which add to a dataset that is stored.
  let labels: AVALabelFile?
  /// The schemes whose lists this source has.
  let schemes: [Manifest.Scheme]
  let vocabularies: [(kind: String, names: [(number: Int, name: String)])]
  let lists: [String: IDList]
  let tags: [(kind: String, id: Int, numbers: [Int])]
  /// What stands before and after the id in a picture's name.
  let keyStart: String
  let keyEnd: String
  var report: ImportReport

  /// - Throws: `DataError` when AVA.txt is missing or a file cannot be read.
  package init(_ manifest: Manifest, source path: String) throws(DataError) {
    self.manifest = manifest
    let name = manifest.images.name
    let mark = name.firstRange(of: "{id}") ?? name.endIndex..<name.endIndex
    keyStart = String(name[..<mark.lowerBound])
    keyEnd = String(name[mark.upperBound...])
    let source = try SourceFolder(path, allowsFile: true)
    self.source = source
    var report = ImportReport(dataset: manifest.name)
    report.notes = source.remarks
    vocabularies = try Self.vocabularies(manifest, source, &report)
    let (schemes, lists) = try Self.lists(manifest, source, &report)
    self.schemes = schemes
    self.lists = lists
    if let file = try Self.labelFile(manifest, source, isNeeded: lists.isEmpty) {
      let labels = AVALabelFile(file)
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
      if labels?.isMadeUp == true { record.markAsMadeUp() }
      // Lists say nothing of the labels that they add to.
      if labels == nil, let stored = try DatasetRecord.named(manifest.name, db) {
        record.variant = stored.variant
        record.title = stored.title
      }
      record.imageFolder = images?.path
      let writer = try DatasetWriter.open(record, replace: replace && labels != nil, db)
      var report = report
      report.rows = labels?.lineCount ?? 0
      if record.isMadeUp {
        report.notes.append(
          "these pictures and votes are made up by roc-data demo: numbers on them say nothing about AVA"
        )
      }
      report.duplicates = labels?.duplicates ?? 0
      // What earlier imports stored, for sources that have lists only.
      var ids: [Int: Int64] = [:]
      ids.reserveCapacity(labels?.rows.count ?? 0)
      for sample in writer.before {
        if let id = Int(sample.key.text.prefix { $0 != "." }) { ids[id] = sample.row }
      }
      try writer.expect(labels?.rows.count ?? 0)
      try writeSamples(writer, images: images, &ids, &report)
      try writer.finish()
      for (kind, names) in vocabularies { try writer.setVocabulary(kind, names) }
      try writeSchemes(writer, ids, &report)
      try writeTags(writer, ids)
      compareVotes(writer, &report)
      try writer.setQuarantine(of: source.files, report.skipped)
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
}
