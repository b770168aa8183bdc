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
    var fields: [String] = []
    var field: [UInt8] = []
    var line = 1
    var start = 1
    var isQuoted = false
    var wasQuoted = false
    func endField() {
      let text = String(decoding: field, as: UTF8.self)
      fields.append(wasQuoted ? text : text.trimmingBlanks)
      field = []
      wasQuoted = false
    }
    func endRow() {
      endField()
      if fields != [""] { rows.append(Row(line: start, fields: fields)) }
      fields = []
    }
    var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == 0x0A { line += 1 }
      if isQuoted {
        guard byte == 0x22 else {
          field.append(byte)
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
        field = []
        isQuoted = true
        wasQuoted = true
      case 0x2C: endField()
      case 0x0D where position == bytes.count || bytes[position] == 0x0A: break
      case 0x0A:
        endRow()
        start = line
      default: field.append(byte)
      }
    }
    guard !isQuoted else {
      throw DataError("\(name):\(start): a quote opens here and never closes")
    }
    if !field.isEmpty || !fields.isEmpty || wasQuoted { endRow() }
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
    let isBlank = { (c: UnicodeScalar) in c == " " || c == "\t" }
    let kept = unicodeScalars.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    var result = String.UnicodeScalarView()
    result.append(contentsOf: kept)
    return String(result)
  }
}
