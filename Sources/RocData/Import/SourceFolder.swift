import Foundation
import RocFiles
import RocNames
import RocTables

/// The files below a download folder, found by the end of their path.
struct SourceFolder {
  let path: String
  /// Relative paths, sorted.
  let files: [String]
  /// What could not be looked into: links to nothing, folders without permission.
  private(set) var unreadable: [(path: String, reason: String)] = []

  /// - Parameters:
  ///   - path: The folder.
  ///   - allowsFile: Treats a single file as a folder that holds nothing else.
  /// - Throws: `DataError` when it does not exist or cannot be listed.
  init(_ path: String, allowsFile: Bool = false) throws(DataError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError("\(path): there is no such file or folder", isMissing: true)
    }
    if allowsFile, !isFolder.boolValue {
      files = [PathName.base(path)]
      let folder = PathName.folder(path)
      let isAtRoot = path.utf8.first == UInt8(ascii: "/")
      self.path = folder.isEmpty ? (isAtRoot ? "/" : ".") : folder
      return
    }
    guard isFolder.boolValue else {
      throw DataError("\(path): is a file, expected the folder of the download", isMissing: true)
    }
    let walk: FolderWalk
    do throws(FileError) {
      walk = try FolderWalk(below: path)
    } catch {
      throw DataError("\(path): cannot be listed: \(error.reason)")
    }
    self.path = path
    files = walk.files
    unreadable = walk.unreadable
  }

  /// A path's bytes, ASCII letters in lower case: names are bytes, those of manifests are ASCII.
  private static func small(_ text: String) -> [UInt8] {
    text.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
  }

  /// What lies above the files: the source may itself be a folder that a manifest names.
  private var above: String { (path as NSString).absolutePath }

  /// The file whose path ends with `suffix`, whatever folders lie above it; nil when there is none.
  ///
  /// - Throws: `DataError` when several files fit equally well.
  func find(_ suffix: String) throws(DataError) -> String? {
    let wanted = Self.small("/\(suffix)")
    let above = Self.small(above)
    let found = files.filter { file in
      (above + Self.small("/\(file)")).suffix(wanted.count).elementsEqual(wanted)
    }
    let depths = found.map { PathName.parts($0).count }
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
    let halves = pattern.split(
      separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
    let head = Self.small("/\(halves[0])")
    let tail = halves.count > 1 ? Self.small(String(halves[1])) : nil
    let above = above
    return files.compactMap { file in
      let whole = Array("\(above)/\(file)".utf8)
      let name = Self.small("\(above)/\(file)")
      guard let tail else {
        return name.suffix(head.count).elementsEqual(head) ? (file, "") : nil
      }
      guard name.suffix(tail.count).elementsEqual(tail) else { return nil }
      let end = name.count - tail.count
      // A star holds no slash, so the pattern begins in what follows the one before it.
      let slashes = head.count(where: { $0 == 0x2F })
      var start = end
      for _ in 0..<slashes {
        guard let slash = name[..<start].lastIndex(of: 0x2F) else { return nil }
        start = slash
      }
      guard name[start..<end].starts(with: head) else { return nil }
      return (file, String(decoding: whole[(start + head.count)..<end], as: UTF8.self))
    }
  }

  /// What could not be looked into, for people: the first few, and how many there are.
  var remarks: [String] { Self.remarks(unreadable, of: path) }

  static func remarks(_ unreadable: [(path: String, reason: String)], of folder: String) -> [String]
  {
    var lines = unreadable.prefix(5).map { "\(folder)/\($0.path): \($0.reason)" }
    if unreadable.count > 5 {
      lines.append("\(folder): \(unreadable.count - 5) more could not be looked into")
    }
    return lines
  }

  /// File names for an error message.
  var listing: String {
    let shown = files.prefix(8).joined(separator: ", ")
    if files.isEmpty { return "the folder is empty" }
    return files.count > 8 ? "found \(shown) and \(files.count - 8) more" : "found \(shown)"
  }
}

extension NSString {
  /// The path from the root, without dots.
  fileprivate var absolutePath: String {
    URL(fileURLWithPath: self as String).standardizedFileURL.path
  }
}
