import Foundation
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

  /// Follows links to folders, but enters each folder once; nil when `path` cannot be listed.
  ///
  /// - Parameter path: An existing folder, or a link to one.
  package init?(below path: String) {
    guard walk(path, prefix: "", depth: 0) else { return nil }
    files = files.sortedByBytes()
    unreadable.sort { ExactText($0.path) < ExactText($1.path) }
  }

  /// Relative paths of all files below a folder; nil when it cannot be listed.
  package static func files(below path: String) -> [String]? { FolderWalk(below: path)?.files }

  private mutating func walk(_ path: String, prefix: String, depth: Int) -> Bool {
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard depth < Self.deepest, entered.insert(real) else { return true }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return false
    }
    for name in names {
      var isFolder: ObjCBool = false
      let file = "\(path)/\(name)"
      guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) else {
        unreadable.append((prefix + name, "a link to a file that is not there"))
        continue
      }
      if !isFolder.boolValue {
        files.append(prefix + name)
      } else if !walk(file, prefix: "\(prefix)\(name)/", depth: depth + 1) {
        unreadable.append((prefix + name, "a folder that cannot be listed; check its permissions"))
      }
    }
    return true
  }
}
