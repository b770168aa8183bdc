/// Where an entry of an archive may go.
package enum SafePath {
  /// A relative path with `/` between its parts, or why the entry is refused.
  package enum Verdict: Equatable, Sendable {
    case path(String)
    case refused(String)
  }

  /// Takes a path apart and puts it together again from parts that stay below the target folder.
  ///
  /// It looks at bytes, as the file system does: a slash before a combining accent is no `/`
  /// character to Swift.
  package static func of(_ entry: String) -> Verdict {
    let slash = UInt8(ascii: "/")
    let bytes = entry.utf8.map { $0 == UInt8(ascii: "\\") ? slash : $0 }
    if bytes.isEmpty { return .refused("has no name") }
    if bytes.contains(where: { $0 < 0x20 }) {
      return .refused("has a control character in its name")
    }
    if bytes[0] == slash { return .refused("has an absolute path") }
    if bytes.count > 1, bytes[1] == UInt8(ascii: ":") {
      return .refused("has a drive letter in its path")
    }
    var parts: [ArraySlice<UInt8>] = []
    for part in bytes.split(separator: slash) where !part.elementsEqual(".".utf8) {
      if part.elementsEqual("..".utf8) { return .refused("would leave the folder with ..") }
      if part.count > 255 { return .refused("has a name of \(part.count) bytes") }
      parts.append(part)
    }
    guard (1...32).contains(parts.count) else {
      return .refused(parts.isEmpty ? "has no name" : "lies \(parts.count) folders deep")
    }
    return .path(parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"))
  }
}
