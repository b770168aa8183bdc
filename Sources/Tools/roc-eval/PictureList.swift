import RocData
import RocFiles
import RocNames
import RocScoring
import RocTool

/// Turns arguments into picture paths, and says what it passed over.
struct PictureList {
  /// What will be scored, in the order given.
  private(set) var paths: [String] = []
  /// Links to nothing and folders that cannot be listed: no pictures, but nobody meant to lose them.
  private(set) var unreadable: [(path: String, reason: String)] = []
  /// Files in folders that are not pictures of a known format.
  private var others: [String] = []

  private static let extensions: Set<String> = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp"]

  /// Files as they are, folders as the pictures below them in the order of their paths, `-` as the
  /// lines of standard input.
  init(_ arguments: [String], isNullSeparated: Bool = false) throws(CommandError) {
    for argument in arguments {
      if argument == "-" {
        let mark: UInt8 = isNullSeparated ? 0 : UInt8(ascii: "\n")
        paths += StandardInput.readAll().split(separator: mark).compactMap { line in
          let text = String(decoding: line, as: UTF8.self)
          let name =
            isNullSeparated || text.utf8.last != 0x0D
            ? text : String(Substring(text.utf8.dropLast()))
          return name.isEmpty ? nil : name
        }
      } else if isFolder(argument) {
        try add(folder: argument)
      } else {
        paths.append(argument)
      }
    }
    guard !paths.isEmpty else {
      for line in remarks { Console.note(line) }
      throw CommandError(.dataMissing, "no pictures to score")
    }
  }

  /// What was passed over, for the user.
  var remarks: [String] {
    var lines = unreadable.map { "Warning: \(Quoted.name($0.path)): \($0.reason)" }
    if !others.isEmpty {
      let shown = others.prefix(5).map(Quoted.name).joined(separator: ", ")
      let rest = others.count > 5 ? " and \(others.count - 5) more" : ""
      lines.append("\(others.count) files are no pictures that can be read: \(shown)\(rest)")
    }
    return lines
  }

  private mutating func add(folder: String) throws(CommandError) {
    let walk: FolderWalk
    do throws(FileError) {
      walk = try FolderWalk(below: folder)
    } catch {
      throw CommandError(
        error.isOfMachine ? .failed : .dataMissing, "\(folder): cannot be listed: \(error.reason)")
    }
    let base =
      folder.utf8.last == UInt8(ascii: "/") ? String(Substring(folder.utf8.dropLast())) : folder
    let visible = walk.files.filter {
      !PathName.parts($0).contains { $0.utf8.first == UInt8(ascii: ".") }
    }
    var found = 0
    for name in visible {
      let path = "\(base)/\(name)"
      // By content where the name says something else: phones call JPEG files .HEIC.
      if Self.extensions.contains(PathName.ending(name)) || PictureFile.hasKnownContent(path) {
        paths.append(path)
        found += 1
      } else {
        others.append(path)
      }
    }
    let lost = walk.unreadable.filter { entry in
      !PathName.parts(entry.path).contains { $0.utf8.first == UInt8(ascii: ".") }
    }
    unreadable += lost.map { ("\(base)/\($0.path)", $0.reason) }
    guard found > 0 || !lost.isEmpty else {
      let known = Self.extensions.sorted().joined(separator: ", ")
      throw CommandError(.dataMissing, "\(folder): no pictures in it (\(known))")
    }
  }
}
