import Foundation

/// Picture files below a folder, found by the path or the base name that a label file gives.
package struct ImageFolder: Sendable {
  package let path: String
  private let byPath: Set<String>
  /// Lower-case base names; several files of one name are told apart by their folders.
  private let byName: [String: [String]]

  /// - Throws: `DataError` when the folder does not exist.
  package init(_ path: String) throws(DataError) {
    let source = try SourceFolder(path)
    var byName: [String: [String]] = [:]
    for file in source.files {
      let name = String(file.split(separator: "/").last ?? "").lowercased()
      byName[name, default: []].append(file)
      // AADB's test pictures are named `<score with 3 decimals>_<name>`.
      if let prefix = name.prefixMatch(of: /[01]\.[0-9]{3}_/) {
        let bare = String(name[prefix.range.upperBound...])
        byName[bare, default: []].append(file)
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
    let found = byName[name] ?? []
    let ending = "/" + key.lowercased()
    let near = found.filter { "/\($0.lowercased())".hasSuffix(ending) }
    // Among several files of that name only the folder can tell which one is meant.
    let chosen = near.count == 1 ? near[0] : near.isEmpty && found.count == 1 ? found[0] : nil
    return chosen.map { "\(path)/\($0)" }
  }
}
