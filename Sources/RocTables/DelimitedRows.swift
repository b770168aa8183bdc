/// The rows of a text table, one at a time: fields between commas, tabs, semicolons or equals
/// signs, with or without quotes, or between blanks.
///
/// A byte order mark, CR before LF, a missing last line end, blanks around fields and blank lines
/// do no harm.
package struct DelimitedRows {
  package enum Separator: Sendable, Equatable {
    /// One byte; `isQuoted` gives quotation marks their meaning in RFC 4180.
    case byte(UInt8, isQuoted: Bool)
    /// One byte, and no more than this many fields: what follows belongs to the last one.
    case leading(UInt8, fields: Int?)
    /// Any number of blanks and tabs.
    case blanks
  }

  private let separator: Separator

  package init(_ separator: Separator) { self.separator = separator }

  /// Whether fields are told apart by something other than this byte.
  func separatesOtherwise(than byte: UInt8) -> Bool {
    switch separator {
    case .byte(let own, _), .leading(let own, _): own != byte
    case .blanks: true
    }
  }

  /// Calls `body` with each row's line number, from 1, and its fields, until it returns false.
  ///
  /// - Returns: The lines of quotation marks that open and never close; such a line is left out.
  package func eachRow(
    _ bytes: UnsafeRawBufferPointer, _ body: (Int, [String]) -> Bool
  ) -> [Int] {
    var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 1
    var unclosed: [Int] = []
    var width: Int?
    var isCut = false
    var field: [UInt8] = []
    let mark = lineEnd(bytes)
    if mark == 0x0D {
      // No LF at all: rows are cut as if each CR were one.
      let text = bytes.map { $0 == 0x0D ? 0x0A : $0 }
      return text.withUnsafeBytes { eachRow($0, body) }
    }
    while position < bytes.count {
      let start = position
      let first = line
      if case .byte(let mark, true) = separator {
        // After a mark that never closes, rows end with their lines: looking for an end from
        // every line would take quadratic time.
        let text = isCut ? Self.line(bytes, from: position) : bytes
        let found = Self.quotedRow(text, &position, &line, mark: mark, field: &field)
        // Two stray marks would swallow all lines between them.
        let swallows = line - first > 1 && found?.count != width && width != nil
        guard let fields = found, !swallows else {
          if found == nil { isCut = true }
          unclosed.append(first)
          position = start
          line = first + 1
          while position < bytes.count, bytes[position] != 0x0A { position += 1 }
          position += 1
          continue
        }
        if width == nil { width = fields.count }
        if fields != [""], !body(first, fields) { break }
      } else {
        var end = position
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        position = end + 1
        line += 1
        while end > start, bytes[end - 1] == 0x0D { end -= 1 }
        let fields = plainRow(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        if !fields.isEmpty, fields != [""], !body(first, fields) { break }
      }
    }
    return unclosed
  }

  /// The bytes up to the end of the line that `position` is in.
  private static func line(
    _ bytes: UnsafeRawBufferPointer, from position: Int
  ) -> UnsafeRawBufferPointer {
    var end = position
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[..<min(end + 1, bytes.count)])
  }

  private func plainRow(_ line: UnsafeRawBufferPointer) -> [String] {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    func text(_ part: Slice<UnsafeRawBufferPointer>) -> String {
      String(decoding: part, as: UTF8.self)
    }
    switch separator {
    case .blanks: return line.split(whereSeparator: isBlank).map(text)
    case .byte(let mark, _):
      return line.split(separator: mark, omittingEmptySubsequences: false)
        .map { text($0).trimmingBlanks }
    case .leading(let mark, let count):
      let most = count.map { $0 - 1 } ?? Int.max
      return line.split(separator: mark, maxSplits: most, omittingEmptySubsequences: false)
        .map { text($0).trimmingBlanks }
    }
  }

  /// Bytes of a quoted field.
  private static let longestField = 1 << 20

  /// A row that may span several lines; nil when a quotation mark does not close.
  private static func quotedRow(
    _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ line: inout Int, mark: UInt8,
    field: inout [UInt8]
  ) -> [String]? {
    var fields: [String] = []
    var isQuoted = false
    var wasQuoted = false
    field.removeAll(keepingCapacity: true)
    func endField(_ field: inout [UInt8]) {
      let text = String(decoding: field, as: UTF8.self)
      fields.append(wasQuoted ? text : text.trimmingBlanks)
      field.removeAll(keepingCapacity: true)
      wasQuoted = false
    }
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == 0x0A { line += 1 }
      if isQuoted {
        guard byte == 0x22 else {
          field.append(byte)
          // No field of labels is as long: the mark does not belong there.
          guard field.count <= longestField else { return nil }
          continue
        }
        if position < bytes.count, bytes[position] == 0x22 {
          field.append(byte)
          position += 1
        } else {
          isQuoted = false
        }
        continue
      }
      switch byte {
      case 0x22 where field.allSatisfy { $0 == 0x20 }:
        field.removeAll(keepingCapacity: true)
        isQuoted = true
        wasQuoted = true
      case mark: endField(&field)
      case 0x0D where position == bytes.count || bytes[position] == 0x0A: break
      case 0x0A:
        endField(&field)
        return fields
      default:
        // Blanks between a closing mark and the separator are not content.
        if !wasQuoted || (byte != 0x20 && byte != 0x09) { field.append(byte) }
      }
    }
    guard !isQuoted else { return nil }
    endField(&field)
    return fields
  }
}
