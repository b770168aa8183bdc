import Foundation

/// The files below a download folder, found by the end of their path.
struct SourceFolder {
  let path: String
  /// Relative paths, sorted.
  let files: [String]

  /// - Parameters:
  ///   - path: The folder.
  ///   - allowsFile: Takes a single file for a folder that holds nothing else.
  /// - Throws: `DataError` when it does not exist or cannot be listed.
  init(_ path: String, allowsFile: Bool = false) throws(DataError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError("\(path): there is no such folder", isMissing: true)
    }
    if allowsFile, !isFolder.boolValue {
      let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
      files = [String(pieces.last ?? "")]
      let folder = pieces.dropLast().joined(separator: "/")
      self.path = pieces.count == 1 ? "." : folder.isEmpty ? "/" : folder
      return
    }
    guard isFolder.boolValue else {
      throw DataError("\(path): is a file, expected the folder of the download", isMissing: true)
    }
    guard let files = FolderWalk.files(below: path) else {
      throw DataError("\(path): cannot be listed; check its permissions")
    }
    self.path = path
    self.files = files
  }

  /// The file whose path ends with `suffix`, whatever folders lie above it; nil when there is none.
  ///
  /// - Throws: `DataError` when several files fit equally well.
  func find(_ suffix: String) throws(DataError) -> String? {
    let wanted = Array("/\(suffix.lowercased())".utf8)
    let found = files.filter { file in
      "/\(file.lowercased())".utf8.suffix(wanted.count).elementsEqual(wanted)
    }
    let depths = found.map { $0.split(separator: "/").count }
    guard let least = depths.min() else { return nil }
    let nearest = zip(found, depths).filter { $0.1 == least }.map(\.0)
    guard nearest.count == 1 else {
      throw DataError(
        """
        \(path): \(nearest.joined(separator: " and ")) could both be \(suffix); name the folder \
        of one download with --source
        """)
    }
    return "\(path)/\(nearest[0])"
  }

  /// The files whose path ends with `pattern`, in which a `*` stands for text without a slash,
  /// and that text for each.
  func matching(_ pattern: String) -> [(file: String, star: String)] {
    let halves = pattern.lowercased().split(
      separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
    let head = String(halves[0])
    let tail = halves.count > 1 ? String(halves[1]) : nil
    // The source may itself be the folder that the pattern names.
    let own = path.split(separator: "/").last.map { "/\($0.lowercased())" } ?? ""
    return files.compactMap { file in
      let name = own + "/\(file.lowercased())"
      guard let tail else {
        return name.hasSuffix("/\(head)") ? (file, "") : nil
      }
      guard name.hasSuffix(tail), let start = name.range(of: "/\(head)", options: .backwards)
      else { return nil }
      let first = name.distance(from: name.startIndex, to: start.upperBound)
      let last = name.count - tail.count
      guard first <= last else { return nil }
      let whole = own + "/\(file)"
      let star = String(whole.dropFirst(first).dropLast(tail.count))
      return star.contains("/") ? nil : (file, star)
    }
  }

  /// File names for an error message.
  var listing: String {
    let shown = files.prefix(8).joined(separator: ", ")
    if files.isEmpty { return "the folder is empty" }
    return files.count > 8 ? "found \(shown) and \(files.count - 8) more" : "found \(shown)"
  }
}
