import RocNames
package import RocTables

/// Recognises files by their columns.
package enum Recognition {
  /// The table of a manifest whose columns a file has, with the part that the file's name states.
  static func reader(
    of file: String, _ source: SourceFolder, _ manifest: Manifest
  ) -> (TableReader, part: String?)? {
    let ending = PathName.ending(file)
    guard ["csv", "tsv", "txt", "json", "jsonl", "xlsx"].contains(ending) else { return nil }
    for table in manifest.tables ?? [] where table.isLabels && table.header == nil {
      guard table.format != .paths, table.format != .mat, table.namedAttribute == nil else {
        continue
      }
      let part = part(of: file).flatMap { name in
        (table.part ?? manifest.tables?.first { $0.part != nil }?.part).map {
          "\($0.prefix { $0 != "/" })/\(name)"
        }
      }
      if let reader = try? TableReader(
        "\(source.path)/\(file)", name: file, table: table.inPart(part)),
        hasOwnColumns(reader, table) || (part != nil && (table.attributes ?? []).isEmpty)
      {
        return (reader, table.partColumn == nil ? part : nil)
      }
    }
    return nil
  }

  /// Columns such as `image` and `score` are everyone's: attributes must be there, too.
  private static func hasOwnColumns(_ reader: TableReader, _ table: Manifest.Table) -> Bool {
    let attributes = table.attributes ?? []
    return !attributes.isEmpty
      && attributes.allSatisfy { $0 == "*" || reader.header.contains($0) }
  }

  /// `train`, `val` or `test`, when a file's name holds one of them.
  private static func part(of file: String) -> String? {
    let name = PathName.base(file).lowercased()
    let found = [("train", "train"), ("val", "val"), ("test", "test")].filter {
      name.contains($0.0)
    }
    return found.count == 1 ? found[0].1 : nil
  }

  /// A dataset that some files of a source may belong to.
  package struct Candidate: Sendable {
    package let name: String
    /// Relative paths.
    let files: Set<ExactText>
    /// The folder that all of them lie in, or the one file.
    package let path: String
    /// Whether it is a format that any dataset may have.
    let isGeneric: Bool
  }

  /// The dataset that the files below a folder, or one file, belong to.
  package static func guess(_ path: String) throws(DataError) -> String? {
    guess(try SourceFolder(path, allowsFile: true))
  }

  /// What a folder or a file may hold: one candidate where there is no doubt, several where it holds
  /// several datasets or files that fit several.
  package static func candidates(_ path: String) throws(DataError) -> [Candidate] {
    decided(candidates(try SourceFolder(path, allowsFile: true)))
  }

  /// The dataset that the files of a source belong to, when exactly one fits best.
  static func guess(_ source: SourceFolder) -> String? {
    let found = decided(candidates(source))
    return found.count == 1 ? found[0].name : nil
  }

  /// Without candidates whose files another one has, too; any table fits `table`, so a dataset that
  /// fits as well is meant.
  private static func decided(_ all: [Candidate]) -> [Candidate] {
    let ranked = all.sorted {
      ($0.isGeneric ? 1 : 0, -$0.files.count, $0.name == "table" ? 1 : 0)
        < ($1.isGeneric ? 1 : 0, -$1.files.count, $1.name == "table" ? 1 : 0)
    }
    var kept: [Candidate] = []
    for candidate in ranked {
      let others = kept.filter { $0.files.count > candidate.files.count || !$0.isGeneric }
      let covered = others.reduce(into: Set<ExactText>()) { $0.formUnion($1.files) }
      guard !candidate.files.isSubset(of: covered) else { continue }
      // Equally good generic formats all stay, except for the plain table.
      if candidate.name == "table", !kept.isEmpty { continue }
      kept.append(candidate)
    }
    return kept
  }

  private static func candidates(_ source: SourceFolder) -> [Candidate] {
    var result: [Candidate] = []
    for name in Manifest.bundledTexts.keys.sorted() {
      guard let manifest = try? Manifest.bundled(name) else { continue }
      let files = files(of: manifest, source)
      guard !files.isEmpty else { continue }
      result.append(
        Candidate(
          name: name, files: Set(names: files), path: common(files, source),
          isGeneric: manifest.isGeneric == true))
    }
    return result
  }

  private static func common(_ files: [String], _ source: SourceFolder) -> String {
    if files.count == 1, source.files.count == 1 { return "\(source.path)/\(files[0])" }
    var folder = PathName.parts(PathName.folder(files[0]))
    for file in files.dropFirst() {
      let other = PathName.parts(PathName.folder(file))
      folder = Array(zip(folder, other).prefix { $0.0.isExactly($0.1) }.map(\.0))
    }
    return ([source.path] + folder).joined(separator: "/")
  }

  private static func files(of manifest: Manifest, _ source: SourceFolder) -> [String] {
    switch manifest.importer {
    case .ava: return avaFiles(manifest, source)
    case .captions:
      return source.files.filter { file in
        ((try? CaptionFile("\(source.path)/\(file)", name: file)) ?? nil) != nil
      }
    case .table: break
    }
    var found: Set<ExactText> = []
    for table in manifest.tables ?? [] {
      if table.format == .paths || table.format == .mat {
        if hasOwnFiles(table, source) {
          let isPicture = table.format == .paths
          for file in source.files
          where isPicture
            ? PathName.pictureEndings.contains(PathName.ending(file))
            : PathName.ending(file) == "mat"
          { found.insert(file) }
        }
        continue
      }
      for pattern in table.files.all where !pattern.hasPrefix("*") {
        for (file, _) in source.matching(pattern)
        where (try? TableReader("\(source.path)/\(file)", name: file, table: table)) != nil {
          found.insert(file)
        }
      }
    }
    if found.isEmpty, manifest.hasAnyName == true {
      for table in manifest.tables ?? [] {
        for pattern in table.files.all where pattern.hasPrefix("*") {
          for (file, _) in source.matching(pattern)
          where (try? TableReader("\(source.path)/\(file)", name: file, table: table))
            .map({ hasScores($0, manifest) }) == true
          {
            found.insert(file)
          }
        }
      }
    }
    return found.map(\.text).sortedByBytes()
  }

  /// Whether a row gives a score: `id->` names a column that many files have, and lists may be
  /// something other than votes.
  private static func hasScores(_ reader: TableReader, _ manifest: Manifest) -> Bool {
    guard (manifest.recognisedBy ?? []).allSatisfy(reader.header.contains) else { return false }
    let areShares = VoteCells.areShares(reader)
    var isFound = false
    _ = reader.eachRow { row in
      guard !isFound else { return }
      if let names = reader.score {
        isFound = reader.field(row, names)?.text.isEmpty == false
      } else if let votes = reader.table.votes {
        isFound =
          (try? VoteCells(row, reader, votes, bins: manifest.votes?.bins, areShares: areShares))
          != nil
      }
    }
    return isFound
  }

  /// AVA.txt under any name, or lists of other divisions of it.
  private static func avaFiles(_ manifest: Manifest, _ source: SourceFolder) -> [String] {
    let texts = source.files.filter { PathName.ending($0) == "txt" }
    let labels = texts.filter { file in
      (try? LineReader("\(source.path)/\(file)", name: file)).map(AVALabelFile.recognises) ?? false
    }
    if !labels.isEmpty { return labels }
    return source.files.filter { file in
      guard PathName.ending(file) == "csv" else { return false }
      // The columns of TANet's and ReLIC's lists, which are AVA.txt's.
      let reader = try? LineReader("\(source.path)/\(file)", name: file)
      return reader?.firstLine?.hasPrefix("image_id,score2,score3") ?? false
    }
  }

  /// Whether MATLAB files have a table's variables, or nearly all pictures lie in its folders.
  private static func hasOwnFiles(_ table: Manifest.Table, _ source: SourceFolder) -> Bool {
    if table.format == .mat {
      let wanted = Set((table.variables ?? [:]).values)
      var found: Set<String> = []
      for file in source.files where PathName.ending(file) == "mat" {
        let variables = (try? MATFile("\(source.path)/\(file)", name: file))?.variables ?? [:]
        found.formUnion(variables.keys)
      }
      return !wanted.isEmpty && wanted.isSubset(of: found)
    }
    // REAL-CUR's layout: album, score, picture.
    let pictures = source.files.filter { file in
      ["jpg", "jpeg", "png"].contains(PathName.ending(file))
    }
    let scored = pictures.filter { file in
      let parts = PathName.parts(file)
      return parts.count >= 3 && ["1", "2", "3", "4", "5"].contains(parts[parts.count - 2])
    }
    return !pictures.isEmpty && scored.count * 10 > pictures.count * 9
  }
}
