import Foundation
import RocData
import RocTool

/// Turns arguments into picture paths.
enum PictureList {
  private static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp", "bmp"]

  /// Files as they are, folders as the pictures below them in the order of their paths, `-` as the
  /// lines of standard input.
  static func expand(_ arguments: [String]) throws(CommandError) -> [String] {
    var paths: [String] = []
    for argument in arguments {
      var isFolder: ObjCBool = false
      if argument == "-" {
        while let line = readLine() {
          if !line.isEmpty { paths.append(line) }
        }
      } else if FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder),
        isFolder.boolValue
      {
        paths += try pictures(in: argument)
      } else {
        paths.append(argument)
      }
    }
    guard !paths.isEmpty else { throw CommandError(.dataMissing, "no pictures to score") }
    return paths
  }

  private static func pictures(in folder: String) throws(CommandError) -> [String] {
    guard let names = FolderWalk.files(below: folder) else {
      throw CommandError(.dataMissing, "\(folder): cannot be listed")
    }
    let found = names.filter { name in
      extensions.contains((name as NSString).pathExtension.lowercased())
        && !name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    guard !found.isEmpty else {
      let known = extensions.sorted().joined(separator: ", ")
      throw CommandError(.dataMissing, "\(folder): no pictures in it (\(known))")
    }
    let base = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    return found.map { "\(base)/\($0)" }
  }
}
