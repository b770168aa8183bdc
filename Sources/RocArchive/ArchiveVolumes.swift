import Foundation
import RocNames

/// The pieces of an archive that was split, such as `photos.zip.001`, `photos.zip.002`, ….
package enum ArchiveVolumes {
  private static let endings = [
    ".zip", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.bz2",
    ".tbz2",
  ]

  /// Whether a path is named like an archive or like the first piece of one.
  package static func isArchive(_ path: String) -> Bool {
    let isPiece = ends(path, ".001")
    let whole = isPiece ? cut(path, 4) : path
    return isPiece || endings.contains { ends(whole, $0) }
  }

  /// Whether a path has this ending, with ASCII letters in either case.
  private static func ends(_ path: String, _ ending: String) -> Bool {
    path.utf8.suffix(ending.utf8.count).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
      .elementsEqual(ending.utf8)
  }

  /// A path without its last bytes.
  private static func cut(_ path: String, _ count: Int) -> String {
    String(Substring(path.utf8.dropLast(count)))
  }

  /// The archive's name without its endings.
  package static func stem(_ path: String) -> String {
    var name = PathName.parts(path).last ?? "images"
    if ends(name, ".001") { name = cut(name, 4) }
    if let ending = endings.filter({ ends(name, $0) }).max(by: { $0.count < $1.count }) {
      name = cut(name, ending.count)
    }
    return name.isEmpty ? "images" : name
  }

  /// The files to read one after another.
  ///
  /// - Throws: `ArchiveError` when the file or a piece between the first and the last is missing.
  package static func of(_ path: String) throws(ArchiveError) -> [String] {
    guard FileManager.default.fileExists(atPath: path) else {
      throw ArchiveError("\(path): there is no such file", isMissing: true)
    }
    let stem = cut(path, 4)
    if ends(path, ".zip"), FileManager.default.fileExists(atPath: "\(stem).z01") {
      throw ArchiveError(
        """
        \(path): a zip file in .z01, .z02 … pieces has to be joined first: \
        zip -s 0 \(path) --out whole.zip
        """)
    }
    guard ends(path, ".001") else { return [path] }
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? "."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let base = Array("\(PathName.base(stem)).".utf8)
    let numbers = names.compactMap { name in
      name.utf8.starts(with: base) && name.utf8.count == base.count + 3
        ? Int(Substring(name.utf8.dropFirst(base.count))) : nil
    }
    let last = numbers.max() ?? 1
    for number in 1...max(last, 1) where !numbers.contains(number) {
      throw ArchiveError(
        "\(stem).\(padded(number)): this piece is missing; there are pieces up to \(padded(last))",
        isMissing: true)
    }
    return (1...last).map { "\(stem).\(padded($0))" }
  }

  private static func padded(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 3 - String(number).count)) + String(number)
  }
}
