import Foundation
import RocNames

/// The files below a folder.
package enum FolderWalk {
  /// Deeper folders are no dataset's layout, but a loop of links.
  private static let deepest = 32

  /// Relative paths of all files below a folder, sorted; links to folders are followed, each
  /// folder is entered once.
  ///
  /// - Parameter path: An existing folder, or a link to one.
  /// - Returns: Nil when it cannot be listed.
  package static func files(below path: String) -> [String]? {
    var found: [String] = []
    var entered: Set<ExactText> = []
    guard walk(path, prefix: "", depth: 0, &found, &entered) else { return nil }
    return found.sortedByBytes()
  }

  private static func walk(
    _ path: String, prefix: String, depth: Int, _ found: inout [String],
    _ entered: inout Set<ExactText>
  ) -> Bool {
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard depth < deepest, entered.insert(real) else { return true }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return false
    }
    for name in names {
      var isFolder: ObjCBool = false
      let file = "\(path)/\(name)"
      guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        _ = walk(file, prefix: "\(prefix)\(name)/", depth: depth + 1, &found, &entered)
      } else {
        found.append(prefix + name)
      }
    }
    return true
  }
}
