package import RocFiles
import RocNames

/// The files below a folder.
package struct FolderWalk {
  /// Relative paths of all files, in the order of their bytes.
  package private(set) var files: [String] = []
  /// What could not be looked into, with the reason: links to nothing, folders without permission.
  package private(set) var unreadable: [(path: String, reason: String)] = []
  private var entered: Set<ExactText> = []

  /// Deeper folders are no dataset's layout, but a loop of links.
  private static let deepest = 32

  /// Follows links to folders, but enters each folder once.
  ///
  /// - Parameter path: An existing folder, or a link to one.
  /// - Throws: `FileError` when it cannot be listed, and when the machine is too short of something
  ///   to list those below it.
  package init(below path: String) throws(FileError) {
    try walk(path, prefix: "", depth: 0)
    files = files.sortedByBytes()
    unreadable.sort { ExactText($0.path) < ExactText($1.path) }
  }

  private mutating func walk(_ path: String, prefix: String, depth: Int) throws(FileError) {
    guard depth < Self.deepest, entered.insert(absolutePath(path)) else { return }
    for name in try listFolder(path) {
      let file = "\(path)/\(name)"
      guard let facts = FileFacts(file) else {
        unreadable.append((prefix + name, "a link to a file that is not there"))
        continue
      }
      guard facts.kind == .folder else {
        files.append(prefix + name)
        continue
      }
      do throws(FileError) {
        try walk(file, prefix: "\(prefix)\(name)/", depth: depth + 1)
      } catch {
        guard !error.isOfMachine else { throw error }
        unreadable.append((prefix + name, "a folder that cannot be listed; check its permissions"))
      }
    }
  }
}
