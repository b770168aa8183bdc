import Foundation

/// The pieces of an archive that was split, as `photos.zip.001`, `photos.zip.002`, ….
package enum ArchiveVolumes {
  private static let endings = [
    ".zip", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.bz2",
    ".tbz2",
  ]

  /// Whether a path is named like an archive or like the first piece of one.
  package static func isArchive(_ path: String) -> Bool {
    let name = path.lowercased()
    let whole = name.hasSuffix(".001") ? String(name.dropLast(4)) : name
    return endings.contains { whole.hasSuffix($0) } || name.hasSuffix(".001")
  }

  /// The archive's name without its endings.
  package static func stem(_ path: String) -> String {
    var name = String(path.split(separator: "/").last ?? "images")
    if name.hasSuffix(".001") { name = String(name.dropLast(4)) }
    if let ending = endings.filter({ name.lowercased().hasSuffix($0) }).max(by: {
      $0.count < $1.count
    }) {
      name = String(name.dropLast(ending.count))
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
    let stem = String(path.dropLast(4))
    if path.lowercased().hasSuffix(".zip"),
      FileManager.default.fileExists(atPath: "\(path.dropLast(4)).z01")
    {
      throw ArchiveError(
        """
        \(path): a zip file in .z01, .z02 … pieces has to be joined first: \
        zip -s 0 \(path) --out whole.zip
        """)
    }
    guard path.hasSuffix(".001") else { return [path] }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let base = String((stem.split(separator: "/").last ?? "")) + "."
    let numbers = names.compactMap { name in
      name.hasPrefix(base) && name.count == base.count + 3 ? Int(name.dropFirst(base.count)) : nil
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
