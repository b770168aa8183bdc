package import RocFiles

/// The lines of a text file: a byte order mark, CR before LF and a missing last line end do no
/// harm.
package struct LineReader {
  private let file: MappedFile
  package let name: String

  package init(_ path: String, name: String) throws(DataError) {
    self.init(try MappedFile.ofData(path), name: name)
  }

  package init(_ file: MappedFile, name: String) {
    self.file = file
    self.name = name
  }

  /// UTF-8's byte order mark.
  private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// The first line as text, of which 4,096 bytes are looked at; nil for an empty file.
  package var firstLine: String? {
    file.withBytes { bytes in
      guard !bytes.isEmpty else { return nil }
      let text = bytes.dropFirst(bytes.starts(with: Self.mark) ? Self.mark.count : 0)
      return String(
        decoding: text.prefix(4096).prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    }
  }

  /// Calls `body` with each line's number, from 1, and its bytes without the line end.
  package func eachLine(_ body: (Int, UnsafeRawBufferPointer) -> Void) {
    file.withBytes { Self.lines($0, body) }
  }

  private static func lines(
    _ bytes: UnsafeRawBufferPointer, _ body: (Int, UnsafeRawBufferPointer) -> Void
  ) {
    var start = bytes.starts(with: mark) ? mark.count : 0
    var number = 0
    let mark = lineEnd(bytes)
    while start < bytes.count {
      var end = start
      while end < bytes.count, bytes[end] != mark { end += 1 }
      var stop = end
      while stop > start, bytes[stop - 1] == 0x0D { stop -= 1 }
      number += 1
      body(number, UnsafeRawBufferPointer(rebasing: bytes[start..<stop]))
      start = end + 1
    }
  }
}

/// What ends the lines of a text: LF, or CR where there is no LF at all, as on old Macs.
func lineEnd(_ bytes: UnsafeRawBufferPointer) -> UInt8 {
  bytes.contains(0x0A) || !bytes.contains(0x0D) ? 0x0A : 0x0D
}
