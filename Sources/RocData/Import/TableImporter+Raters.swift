import RocJSON
import RocNames
import RocStore
import RocTables

/// Raters, their ratings, and the parts of all schemes.
extension TableImporter {
  /// Ratings and what is known about raters, then the parts of all schemes.
  func writeRaters(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    for table in ratings {
      try table.write(writer) { key in
        // A picture that was left out has no place.
        samples.knownPlace(of: key).map { (self.key(samples.entries[$0]), ids[$0]) }
      }
    }
    try writeRaterTables(writer, &report)
    var pictures: [(key: ImageKey, row: Int64, group: String?)] = []
    // As stored now: what holds pictures together may have come with another source.
    for sample in try writer.all(withExtra: !manifest.groupColumns.isEmpty) {
      let extra = sample.extra.flatMap { try? JSON.parse($0) }
      pictures.append((sample.key, sample.row, manifest.group { extra?[$0] }))
    }
    var parts = TableParts(manifest, writer)
    try parts.add(samples.parts.map { ($0.name, $0.members.compactMap { ids[$0] }) })
    try parts.addByRaters(all: pictures.map(\.row))
    try parts.addDerived { file in
      guard let found = try? source.find(file), let names = try? NameList.read(found) else {
        return nil
      }
      let index = NameIndex(pictures.map(\.key))
      var rows: Set<Int64> = []
      var several: Set<ExactText> = []
      for name in names {
        if let place = index.place(of: name) {
          rows.insert(pictures[place].row)
        } else {
          several.insert(name)
        }
      }
      // A list of base names means every picture of that name.
      for picture in pictures where several.contains(picture.key.base) {
        rows.insert(picture.row)
      }
      return rows
    }
    try parts.addSeeded(pictures)
    report.splits = parts.splits + report.splits
    try writer.chooseDefaultScheme(
      manifest.defaultScheme, else: [manifest.seeded?.scheme].compactMap { $0 })
    if try report.splits.isEmpty && !writer.hasParts() {
      report.notes.append(
        "no file divides the pictures of \(manifest.name) into parts; roc-data add-split does")
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
          var skipped: [SetAsideLine] = []
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
                reader.skipped(row, error.message))
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
