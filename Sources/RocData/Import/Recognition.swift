/// Tells by their columns what files are.
package enum Recognition {
  /// The dataset that the files below a folder, or one file, belong to.
  package static func guess(_ path: String) throws(DataError) -> String? {
    guess(try SourceFolder(path, allowsFile: true))
  }

  /// The table of a manifest whose columns a file has, with the part that the file's name says.
  static func reader(
    of file: String, _ source: SourceFolder, _ manifest: Manifest
  ) -> (TableReader, part: String?)? {
    let ending = file.lowercased().split(separator: ".").last.map(String.init) ?? ""
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
    let name = (file.split(separator: "/").last ?? "").lowercased()
    let found = [("train", "train"), ("val", "val"), ("test", "test")].filter {
      name.contains($0.0)
    }
    return found.count == 1 ? found[0].1 : nil
  }

  /// The dataset that the files of a source belong to, when exactly one fits best.
  static func guess(_ source: SourceFolder) -> String? {
    var hits: [(name: String, count: Int)] = []
    for name in Manifest.bundledTexts.keys.sorted() {
      guard let manifest = try? Manifest.bundled(name) else { continue }
      var count = 0
      if manifest.importer == .ava {
        count = avaFiles(manifest, source)
      } else if manifest.importer == .captions {
        for file in source.files
        where ((try? CaptionFile("\(source.path)/\(file)", name: file)) ?? nil) != nil {
          count += 1
        }
      } else {
        for table in manifest.tables ?? [] {
          if table.format == .paths || table.format == .mat {
            if hasOwnFiles(table, source) { count += 1 }
            continue
          }
          for pattern in table.files.all where !pattern.hasPrefix("*") {
            count +=
              source.matching(pattern).filter { file, _ in
                (try? TableReader("\(source.path)/\(file)", name: file, table: table)) != nil
              }.count
          }
        }
      }
      if count > 0 { hits.append((name, count)) }
    }
    let most = hits.map(\.count).max() ?? 0
    let best = hits.filter { $0.count == most }
    // Any table is a table: a dataset that fits as well is meant.
    let own = best.filter { $0.name != "table" }
    return own.count == 1 ? own[0].name : own.isEmpty ? best.first?.name : nil
  }

  /// AVA.txt under any name, or lists of other divisions of it.
  private static func avaFiles(_ manifest: Manifest, _ source: SourceFolder) -> Int {
    let texts = source.files.filter { $0.lowercased().hasSuffix(".txt") }
    let labels = texts.contains { file in
      (try? LineReader("\(source.path)/\(file)", name: file)).map(AVALabels.recognises) ?? false
    }
    if labels { return 1 }
    for file in source.files where file.lowercased().hasSuffix(".csv") {
      // The columns of TANet's and ReLIC's lists, which are AVA.txt's.
      let reader = try? LineReader("\(source.path)/\(file)", name: file)
      if reader?.firstLine?.hasPrefix("image_id,score2,score3") ?? false { return 1 }
    }
    return 0
  }

  /// Whether MATLAB files have a table's variables, or nearly all pictures lie in its folders.
  private static func hasOwnFiles(_ table: Manifest.Table, _ source: SourceFolder) -> Bool {
    if table.format == .mat {
      let wanted = Set((table.variables ?? [:]).values)
      var found: Set<String> = []
      for file in source.files where file.lowercased().hasSuffix(".mat") {
        let variables = (try? MATFile("\(source.path)/\(file)", name: file))?.variables ?? [:]
        found.formUnion(variables.keys)
      }
      return !wanted.isEmpty && wanted.isSubset(of: found)
    }
    // REAL-CUR's layout: album, score, picture.
    let pictures = source.files.filter { file in
      ["jpg", "jpeg", "png"].contains(
        file.lowercased().split(separator: ".").last.map(String.init) ?? "")
    }
    let scored = pictures.filter { file in
      let parts = file.split(separator: "/")
      return parts.count >= 3 && ["1", "2", "3", "4", "5"].contains(String(parts[parts.count - 2]))
    }
    return !pictures.isEmpty && scored.count * 10 > pictures.count * 9
  }
}
