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

  /// What the folder has of a picture.
  enum Match {
    /// A file whose path ends as the key does, or the key as the path.
    case file(String)
    /// One file of that base name, in another folder than the key says.
    case elsewhere(String)
    /// Several files that fit equally well.
    case several
    case none
  }

  func match(_ key: String) -> Match {
    if byPath.contains(key) { return .file("\(path)/\(key)") }
    let name = String(key.split(separator: "/").last ?? "").lowercased()
    let found = byName[name] ?? []
    let wanted = "/" + key.lowercased()
    let near = found.filter { file in
      let own = "/\(file.lowercased())"
      return own.hasSuffix(wanted) || wanted.hasSuffix(own)
    }
    if near.count == 1 { return .file("\(path)/\(near[0])") }
    if near.isEmpty, found.count == 1 { return .elsewhere("\(path)/\(found[0])") }
    return found.isEmpty ? .none : .several
  }

  /// The absolute path of a picture whose name is its own, or nil when it is not there.
  package func path(of key: String) -> String? {
    switch match(key) {
    case .file(let path), .elsewhere(let path): path
    case .several, .none: nil
    }
  }
}

/// The files of many pictures, no file for two of them unless both name it.
struct ImageMatches {
  /// In the order of the keys; nil for a picture that is not there.
  private(set) var paths: [String?] = []
  private(set) var missing: [String] = []
  private(set) var notes: [String] = []

  init(_ folder: ImageFolder, _ keys: [String]) {
    let matches = keys.map(folder.match)
    // A base name that two pictures have cannot stand for a path that is not there.
    var bases: [String: Int] = [:]
    for key in keys { bases[Self.base(key), default: 0] += 1 }
    var elsewhere = 0
    var several = 0
    for (key, match) in zip(keys, matches) {
      var path: String?
      switch match {
      case .file(let found): path = found
      case .elsewhere(let found) where bases[Self.base(key)] == 1:
        path = found
        elsewhere += 1
      case .several: several += 1
      case .elsewhere, .none: break
      }
      if path == nil { missing.append(key) }
      paths.append(path)
    }
    if elsewhere > 0 {
      notes.append("\(elsewhere) pictures were found by their base names in other folders")
    }
    if several > 0 {
      notes.append(
        """
        \(several) pictures are there several times in different folders; name the folder that is \
        meant with --images
        """)
    }
  }

  private static func base(_ key: String) -> String {
    String(key.split(separator: "/").last ?? "").lowercased()
  }
}
