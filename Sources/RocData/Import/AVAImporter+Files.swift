import RocNames
import RocStore
import RocTables

/// Which files of a source are what.
extension AVAImporter {
  /// The file named AVA.txt, or else any text file whose first line has its 15 numbers.
  static func labelFile(
    _ manifest: Manifest, _ source: SourceFolder, isNeeded: Bool
  ) throws(DataError) -> LineReader? {
    guard let labels = manifest.labels else {
      throw DataError("manifests/\(manifest.name).yaml: importer ava needs labels")
    }
    if let path = try source.find(labels.file) {
      return try LineReader(path, name: source.relative(path))
    }
    for file in source.files where PathName.ending(file) == "txt" {
      let reader = try LineReader("\(source.path)/\(file)", name: file)
      if AVALabelFile.recognises(reader) { return reader }
    }
    guard isNeeded else { return nil }
    throw DataError(
      """
      \(source.path): no \(labels.file) (\(labels.description)); \
      \(source.listing)
      """, isMissing: true)
  }

  static func vocabularies(
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
  static func lists(
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

  static func tags(
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
            SetAsideLine(
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
          SetAsideLine(
            file: reader.name, line: lineCount,
            reason: "the file ends here, \(entry.ids) goes on to line \(last)", content: ""))
      }
    }
    return result
  }
}

extension SourceFolder {
  /// A path below the folder, for messages.
  func relative(_ file: String) -> String {
    file.utf8.starts(with: "\(path)/".utf8)
      ? String(Substring(file.utf8.dropFirst(path.utf8.count + 1))) : file
  }
}
