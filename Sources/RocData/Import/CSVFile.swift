/// The rows of a CSV file after RFC 4180: commas, quotes, any line end; a byte order mark is
/// skipped, blank lines too.
package struct CSVFile: Sendable {
  /// One line of fields.
  package struct Row: Sendable {
    /// Of its first character, from 1.
    package let line: Int
    package let fields: [String]
  }

  package let header: [String]
  package let rows: [Row]

  /// - Parameters:
  ///   - bytes: The file.
  ///   - name: For messages.
  /// - Throws: `DataError` for a file without a header or with a quote that never ends.
  package init(_ bytes: UnsafeRawBufferPointer, name: String) throws(DataError) {
    var rows: [Row] = []
    let unclosed = DelimitedRows(.byte(UInt8(ascii: ","), isQuoted: true)).eachRow(bytes) {
      rows.append(Row(line: $0, fields: $1))
      return true
    }
    if let line = unclosed.first {
      throw DataError("\(name):\(line): a quote opens here and never closes")
    }
    guard let header = rows.first else { throw DataError("\(name): empty, expected a header line") }
    self.header = header.fields
    self.rows = Array(rows.dropFirst())
  }

  /// The place of a column, or nil.
  package func column(_ name: String) -> Int? { header.firstIndex(of: name) }
}

extension String {
  /// Without blanks and tabs at both ends.
  package var trimmingBlanks: String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let bytes = utf8
    guard bytes.first.map(isBlank) ?? false || bytes.last.map(isBlank) ?? false else {
      return self
    }
    var rest = bytes[...]
    while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return String(decoding: rest, as: UTF8.self)
  }
}
