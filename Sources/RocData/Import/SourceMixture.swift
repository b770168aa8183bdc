import RocNames
import RocScore
import RocTables

/// Labels that belong to several datasets: by the folders of their pictures in formats that any
/// dataset may have, or by scales that cannot be the same.
///
/// Pooled, they would have one mean and one scale that belong to nothing.
struct SourceMixture {
  private struct Group {
    var count = 0
    var low = Double.infinity
    var high = -Double.infinity

    mutating func add(_ score: Double) {
      count += 1
      low = min(low, score)
      high = max(high, score)
    }
  }

  private let manifest: Manifest
  private var folders: [ExactText: Group] = [:]
  private var files: [FileName: Group] = [:]

  /// How many times larger one file's scale may be than another's.
  private static let widest = 4.0
  /// Files of fewer pictures say too little about their scale.
  private static let least = 10

  init(_ samples: TableSamples, _ manifest: Manifest) {
    self.manifest = manifest
    let shared = samples.sharedFolders
    for entry in samples.entries {
      guard let score = entry.score else { continue }
      folders[TableSamples.folder(of: entry.key, below: shared), default: Group()].add(score)
      files[TableSamples.file(entry.place), default: Group()].add(score)
    }
  }

  /// - Throws: `DataError` that lists what was found, with the command for each.
  func check(_ path: String) throws(DataError) {
    if manifest.isOfAnyDataset == true, folders.count > 1 {
      let list = folders.sorted { $0.key < $1.key }.map { folder, group in
        let name =
          folder.text.isEmpty
          ? "\(manifest.name)-rest"
          : String(folder.text.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
        return """
          \n  \(folder.text.isEmpty ? "(no folder)" : folder.text): \(group.count) pictures, scores \
          \(Self.span(group)): roc-data import \(manifest.knownName ?? manifest.name) --source \
          \(ShellWord.quoted(path)) --only-folder \(ShellWord.quoted(folder.text)) --name \(name)
          """
      }
      throw DataError(
        """
        \(path): these files are of \(folders.count) datasets by the folders of their pictures, which \
        are never pooled; import each by itself:\(list.joined())
        """, isUsage: true)
    }
    // A stated scale is one scale.
    guard let scales = manifest.score.scales, scales.count > 1, files.count > 1 else { return }
    let own = files.filter { $0.value.count >= Self.least }.compactMap { file, group in
      scales.first { $0.low <= group.low && group.high <= $0.high }.map { (file, group, $0) }
    }
    guard let smallest = own.min(by: { $0.2.high < $1.2.high }),
      let largest = own.max(by: { $0.2.high < $1.2.high }),
      largest.2.high > smallest.2.high * Self.widest
    else { return }
    throw DataError(
      """
      \(path): \(smallest.0) has scores \(Self.span(smallest.1)) and \(largest.0) \
      \(Self.span(largest.1)): they look like two scales, which are never mixed; import each file by \
      itself under its own --name, or state one scale for both with --min-score and --max-score
      """, isUsage: true)
  }

  private static func span(_ group: Group) -> String {
    "\(ScoreRange.short(group.low)) to \(ScoreRange.short(group.high))"
  }
}
