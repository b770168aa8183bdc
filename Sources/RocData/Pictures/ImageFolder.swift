import Foundation

/// Picture files below a folder, found by the path or the base name that a label file gives.
package struct ImageFolder: Sendable {
  package let path: String
  private let byPath: Set<String>
  private let byName: [String: String]

  /// - Throws: `DataError` when the folder does not exist.
  package init(_ path: String) throws(DataError) {
    let source = try SourceFolder(path)
    var byName: [String: String] = [:]
    for file in source.files {
      let name = String(file.split(separator: "/").last ?? "").lowercased()
      if byName[name] == nil { byName[name] = file }
      // AADB's test pictures are named `<score with 3 decimals>_<name>`.
      if let prefix = name.prefixMatch(of: /[01]\.[0-9]{3}_/) {
        let bare = String(name[prefix.range.upperBound...])
        if byName[bare] == nil { byName[bare] = file }
      }
    }
    self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    byPath = Set(source.files)
    self.byName = byName
  }

  /// The absolute path of a picture, or nil when it is not there.
  package func path(of key: String) -> String? {
    if byPath.contains(key) { return "\(path)/\(key)" }
    let name = String(key.split(separator: "/").last ?? "").lowercased()
    return byName[name].map { "\(path)/\($0)" }
  }
}
