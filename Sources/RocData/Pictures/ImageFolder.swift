import Foundation
package import RocNames
package import RocTables

/// Picture files below a folder, found by the path or the base name that a label file gives.
package struct ImageFolder: Sendable {
  package let path: String
  private let files: [String]
  private let byPath: [FileName: Int]
  /// Lower-case base names; several files of one name are told apart by their folders.
  private let byName: [ExactText: [Int]]
  /// By what loose names have in common.
  private let byLooseName: [String: [Int]]
  let isLoose: Bool
  private let unreadable: [(path: String, reason: String)]
  /// Links to nothing and folders without permission, for people.
  package let remarks: [String]

  /// - Parameters:
  ///   - path: The folder.
  ///   - isLoose: Also takes the only file whose name differs in Unicode form, leading zeros or
  ///     ending.
  /// - Throws: `DataError` when the folder does not exist.
  package init(_ path: String, isLoose: Bool = false) throws(DataError) {
    self.isLoose = isLoose
    let source = try SourceFolder(path)
    files = source.files
    unreadable = source.unreadable
    remarks = source.remarks
    var byName: [ExactText: [Int]] = [:]
    var byLooseName: [String: [Int]] = [:]
    for (place, file) in files.enumerated() {
      let name = PathName.base(file).lowercased()
      byName[name, default: []].append(place)
      // AADB's test pictures are named `<score with 3 decimals>_<name>`.
      if let bare = NameIndex.withoutScore(name) { byName[bare, default: []].append(place) }
      byLooseName[NameIndex.folded(file), default: []].append(place)
    }
    self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    byPath = Dictionary(
      files.enumerated().map { (FileName($0.element), $0.offset) }, uniquingKeysWith: { a, _ in a }
    )
    self.byName = byName
    self.byLooseName = byLooseName
  }

  /// What the folder has of a picture.
  enum Match {
    /// A file whose path ends with the key, or whose path the key ends with.
    case file(String)
    /// One file of that base name, in another folder than the key says.
    case elsewhere(String)
    /// Several files that fit equally well.
    case several
    case none
  }

  func match(_ key: ImageKey) -> Match {
    if let place = byPath[FileName(key.text)] { return .file("\(path)/\(files[place])") }
    let found = byName[key.base.lowercased()] ?? []
    let wanted = Array("/\(key.text.lowercased())".utf8)
    let near = found.filter { place in
      let own = Array("/\(files[place].lowercased())".utf8)
      return own.suffix(wanted.count) == wanted[...] || wanted.suffix(own.count) == own[...]
    }
    if near.count == 1 { return .file("\(path)/\(files[near[0]])") }
    if near.isEmpty, found.count == 1 { return .elsewhere("\(path)/\(files[found[0]])") }
    return found.isEmpty ? .none : .several
  }

  /// The only file whose name differs from a key's in Unicode form, leading zeros or ending, and
  /// how it differs.
  func looseMatch(_ key: ImageKey) -> (path: String, difference: String)? {
    guard let found = byLooseName[NameIndex.folded(key.text)], found.count == 1 else { return nil }
    return ("\(path)/\(files[found[0]])", NameIndex.difference(key.text, files[found[0]]))
  }

  /// The absolute path of a picture; nil when it is not there or several files fit equally well.
  package func path(of key: ImageKey) -> String? {
    switch match(key) {
    case .file(let path), .elsewhere(let path): path
    case .several: nil
    case .none: isLoose ? looseMatch(key)?.path : nil
    }
  }

  /// Why a picture is not there, with the file that may be meant.
  package func reason(_ key: ImageKey, in folder: String) -> String {
    let wanted = Array("/\(key)".utf8)
    let own = unreadable.first { entry in
      let path = Array("/\(entry.path)".utf8)
      return path.suffix(wanted.count) == wanted[...] || wanted.suffix(path.count) == path[...]
    }
    if let own { return "only \(own.reason)" }
    guard let (file, difference) = looseMatch(key) else { return "not in \(folder)" }
    return "not in \(folder), but \(PathName.base(file)) is, which differs only in \(difference)"
  }
}

/// The files of many pictures; no file is taken for two of them unless both name it.
struct ImageMatches {
  /// In the order of the keys; nil for a picture that is not there.
  private(set) var paths: [String?] = []
  private(set) var missing: [ImageKey] = []
  private(set) var notes: [String] = []

  init(_ folder: ImageFolder, _ keys: [ImageKey]) {
    let matches = keys.map(folder.match)
    // A base name that two pictures have cannot stand for a path that is not there.
    var bases: [ExactText: Int] = [:]
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
      paths.append(path)
    }
    takeLoose(folder, keys)
    for (key, path) in zip(keys, paths) where path == nil { missing.append(key) }
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

  /// Files that no key names and that only one key could mean.
  private mutating func takeLoose(_ folder: ImageFolder, _ keys: [ImageKey]) {
    let taken = Set(paths.compactMap { $0.map(FileName.init) })
    var wishes: [FileName: [(place: Int, difference: String)]] = [:]
    for (place, key) in keys.enumerated() where paths[place] == nil {
      guard let (path, difference) = folder.looseMatch(key), !taken.contains(FileName(path)) else {
        continue
      }
      wishes[FileName(path), default: []].append((place, difference))
    }
    let found = wishes.filter { $0.value.count == 1 }.map { ($0.key.text, $0.value[0]) }
      .sorted { $0.1.place < $1.1.place }
    guard let (path, example) = found.first else { return }
    if folder.isLoose {
      for (path, wish) in found { paths[wish.place] = path }
      notes.append("\(found.count) pictures were found under loosely equal names")
    } else {
      notes.append(
        """
        \(found.count) missing pictures may be there under another name: \(keys[example.place]) \
        differs from \(path) only in \(example.difference); --loose-names takes them
        """)
    }
  }

  private static func base(_ key: ImageKey) -> String { key.base.lowercased() }
}
