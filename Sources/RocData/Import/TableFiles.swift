import RocFiles
import RocImage
import RocNames
import RocStore
import RocTables

/// The files of a source that a manifest's tables read: by name, or else by the columns they have.
struct TableFiles {
  private(set) var readers: [(reader: TableReader, star: String)] = []
  private(set) var skipped: [SetAsideLine] = []
  var notes: [String] = []
  private(set) var variant: Manifest.Variant?
  /// Which label files were looked for in vain, for a source that has only what belongs to them.
  private(set) var wanted = ""

  /// - Throws: `DataError` when no file fits.
  init(_ manifest: Manifest, _ source: SourceFolder) throws(DataError) {
    var wanted: [String] = []
    var claimed: Set<ExactText> = []
    for table in manifest.tables ?? [] {
      if (table.unless?.all ?? []).contains(where: { !source.matching($0).isEmpty }) { continue }
      if table.format == .paths {
        readers.append((try paths(source, table), ""))
        continue
      }
      if table.format == .mat {
        if let reader = try variables(source, table) { readers.append((reader, "")) }
        continue
      }
      var found = false
      for pattern in table.files.all {
        for (file, star) in source.matching(pattern) where !claimed.contains(file) {
          found = true
          do throws(DataError) {
            let reader = try TableReader("\(source.path)/\(file)", name: file, table: table)
            readers.append((reader, star))
            claimed.insert(file)
          } catch {
            // Another table may know this file; if none does, the reason is reported.
            skipped.append(SetAsideLine(file: file, line: 1, reason: error.message, content: ""))
          }
        }
      }
      if !found { wanted += table.files.all }
    }
    skipped.removeAll { claimed.contains($0.file) }
    recognise(manifest, source, claimed)
    if !readers.contains(where: { $0.reader.table.isLabels }) {
      if let line = skipped.first { throw DataError(line.reason, isMissing: true) }
      let name = Recognition.guess(source).flatMap { $0 == manifest.name ? nil : $0 }
      let guess = name.map { "; these look like files of \($0)" } ?? ""
      // A manifest may need none of its label files by name.
      let sought =
        wanted.isEmpty
        ? "no file with scores of \(manifest.name)" : "none of \(wanted.joined(separator: ", "))"
      self.wanted = """
        \(source.path): \(sought); \(source.listing)\(guess)
        """
      guard !readers.isEmpty || Self.hasLists(manifest, source) else {
        throw DataError(self.wanted, isMissing: true)
      }
    }
    chooseVariant(manifest)
    notes += source.remarks
  }

  /// Whether a source has lists that divisions are made from, or files about raters.
  private static func hasLists(_ manifest: Manifest, _ source: SourceFolder) -> Bool {
    let lists =
      (manifest.raterSchemes ?? []).flatMap { $0.parts.map(\.list) }
      + (manifest.derived ?? []).flatMap { $0.parts.compactMap(\.list) }
      + (manifest.raterTables ?? []).flatMap(\.files.all)
    return lists.contains { !source.matching($0).isEmpty }
  }

  /// Reads files of other names that have the columns; a name tells train, val and test apart.
  ///
  /// Besides files known by their names, only what fills a missing part is taken.
  private mutating func recognise(
    _ manifest: Manifest, _ source: SourceFolder, _ claimed: Set<ExactText>
  ) {
    let named = readers.filter { $0.reader.table.isLabels }
    let parts = Set(named.compactMap { $0.reader.table.part })
    for file in source.files where !claimed.contains(file) {
      guard let (reader, part) = Recognition.reader(of: file, source, manifest) else { continue }
      if !named.isEmpty {
        guard let own = reader.table.part, !parts.contains(own), part != nil else {
          notes.append("\(file) was not read: the labels were found in files of the usual names")
          continue
        }
      }
      readers.append((reader, ""))
      skipped.removeAll { $0.file == file }
      let told = part.map { " and read as \($0)" } ?? "; its name says no part"
      notes.append("\(file) was recognised by its columns\(told)")
    }
  }

  /// The original labels when they are there; copies are never mixed with them.
  private mutating func chooseVariant(_ manifest: Manifest) {
    let names = readers.filter { $0.reader.table.isLabels }.map { $0.reader.table.variant }
    guard !names.contains(nil), let name = names.first ?? nil else {
      drop { $0.variant != nil }
      return
    }
    variant = manifest.variants?.first { $0.name == name }
    drop { $0.variant != nil && $0.variant != name }
    notes.append("these labels are the copy \(name): \(variant?.description ?? "")")
  }

  private mutating func drop(_ isDropped: (Manifest.Table) -> Bool) {
    for (reader, _) in readers where isDropped(reader.table) {
      notes.append("\(reader.name) was not read: another copy of these labels")
    }
    readers.removeAll { isDropped($0.reader.table) }
  }

  /// What was read, for messages.
  var names: String { readers.map(\.reader.name).joined(separator: ", ") }

  /// Pictures whose folders are labels: the last parts of their paths are the columns.
  private mutating func paths(
    _ source: SourceFolder, _ table: Manifest.Table
  ) throws(DataError) -> TableReader {
    let columns = table.header ?? []
    var others: [String] = []
    var rows: [TableRow] = []
    for file in source.files {
      let parts = PathName.parts(file)
      let ending = PathName.ending(file)
      // By content where the name says something else: phones name JPEG files .HEIC.
      let isPicture =
        ["jpg", "jpeg", "png", "webp", "bmp"].contains(ending)
        || (try? MappedFile(path: "\(source.path)/\(file)")).map {
          $0.withBytes { PictureFormat($0) != nil }
        } == true
      guard parts.count >= columns.count, isPicture else {
        others.append(file)
        continue
      }
      rows.append(TableRow(line: rows.count + 1, fields: Array(parts.suffix(columns.count))))
    }
    if !others.isEmpty {
      let shown = others.prefix(3).joined(separator: ", ")
      notes.append(
        """
        \(others.count) files are no pictures in \(columns.dropLast().joined(separator: "/")) folders \
        and were passed over: \(shown)\(others.count > 3 ? ", …" : "")
        """)
    }
    return try TableReader(
      TableFile(name: source.path, header: columns, rows: rows), name: source.path, table: table)
  }

  /// MATLAB variables of one length as columns, from whichever files have them.
  private mutating func variables(
    _ source: SourceFolder, _ table: Manifest.Table
  ) throws(DataError) -> TableReader? {
    var found: [String: MATFile.Value] = [:]
    var names: [String] = []
    let wanted = Set((table.variables ?? [:]).values).union([table.matrix?.variable ?? ""])
    for file in source.files where PathName.ending(file) == "mat" {
      let variables: [String: MATFile.Value]
      do throws(DataError) {
        variables = try MATFile("\(source.path)/\(file)", name: file).variables
      } catch {
        // Other files may have all that is needed.
        if !skipped.contains(where: { $0.file == file }) {
          skipped.append(SetAsideLine(file: file, line: 1, reason: error.message, content: ""))
        }
        continue
      }
      let used = variables.filter { wanted.contains($0.key) }
      if !used.isEmpty { names.append(file) }
      found.merge(used) { first, _ in first }
    }
    guard wanted.subtracting([""]).allSatisfy({ found[$0] != nil }) else { return nil }
    let name = names.joined(separator: "+")
    let (header, rows) = try MATTable.rows(found, table, name: name)
    return try TableReader(
      TableFile(name: name, header: header, rows: rows), name: name, table: table)
  }
}

extension Manifest.Table {
  /// Whether the table gives scores.
  var isLabels: Bool {
    (score != nil || meanOfVotes == true) && (rater == nil || fills == true)
  }

  /// A table of which only the key is known.
  init(plain key: Manifest.Names, format: Manifest.Format?) {
    self.init(
      files: Manifest.Names([]), unless: nil, format: format, header: nil, key: key,
      score: nil, attributes: nil, namedAttribute: nil, nameKept: nil, votes: nil,
      meanOfVotes: nil, attributeVotes: nil,
      rater: nil, fills: nil, part: nil, partColumn: nil, variant: nil, variables: nil, matrix: nil,
      wide: nil, keyMatch: nil, keyPrefixes: nil)
  }

  /// The same table in another part.
  func inPart(_ part: String?) -> Manifest.Table {
    Manifest.Table(
      files: files, unless: nil, format: format, header: header, key: key,
      score: score, attributes: attributes, namedAttribute: nil, nameKept: nil, votes: votes,
      meanOfVotes: meanOfVotes, attributeVotes: attributeVotes,
      rater: rater, fills: fills, part: partColumn == nil ? part : nil, partColumn: partColumn,
      variant: variant, variables: nil, matrix: nil, wide: wide, keyMatch: keyMatch,
      keyPrefixes: keyPrefixes)
  }
}
