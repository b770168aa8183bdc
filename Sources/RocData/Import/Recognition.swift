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
        hasOwnColumns(reader, table)
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
        count = ((try? source.find(manifest.labels?.file ?? "")) ?? nil) == nil ? 0 : 1
      } else if manifest.importer == .captions {
        for file in source.files
        where ((try? CaptionFile("\(source.path)/\(file)", name: file)) ?? nil) != nil {
          count += 1
        }
      } else {
        for table in manifest.tables ?? [] where table.format != .paths {
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
    return best.count == 1 ? best[0].name : nil
  }
}
