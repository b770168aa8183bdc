/// The rows of a CSV file as in RFC 4180: commas, quotes, any line end; a byte order mark and blank
/// lines are skipped.
package struct CSVFile: Sendable {
  package let header: [String]
  package let rows: [TableRow]

  /// - Parameters:
  ///   - bytes: The file.
  ///   - name: For messages.
  /// - Throws: `DataError` for a file without a header or with a quote that never ends.
  package init(_ bytes: UnsafeRawBufferPointer, name: String) throws(DataError) {
    var rows: [TableRow] = []
    let unclosed = DelimitedRows(.byte(UInt8(ascii: ","), isQuoted: true)).eachRow(bytes) {
      rows.append(TableRow(line: $0, fields: $1))
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
