import RocFiles
import RocJSON
package import RocNames

/// A table in a file: its columns, and its rows one at a time.
package struct TableFile {
  /// The names of the columns.
  package let header: [String]
  private let name: String
  private let content: Content

  private enum Content {
    /// Lines before the first row: a header, and Excel's `sep=;`.
    case text(MappedFile, DelimitedRows, lead: Int)
    case records(MappedFile, keys: [String])
    case rows([TableRow], skipped: [SetAsideLine])
  }

  /// - Parameters:
  ///   - path: The file.
  ///   - name: For messages.
  ///   - format: Inferred from the file's ending and its first lines when nil.
  ///   - header: The columns of a file without a header.
  ///   - keys: What members with a picture's name are called, for records by picture.
  /// - Throws: `DataError` when the file cannot be read or is no such table.
  package init(
    _ path: String, name: String, format: TableFormat? = nil, header: [String]? = nil,
    keys: [String] = []
  ) throws(DataError) {
    self.name = name
    let format = format ?? ["json": .json, "jsonl": .json, "xlsx": .xlsx][PathName.ending(path)]
    if format == .xlsx {
      let rows = try Workbook(path, name: name).rows
      guard let first = rows.first else { throw DataError("\(name): an empty sheet") }
      self.header = header ?? first.fields
      content = .rows(header == nil ? Array(rows.dropFirst()) : rows, skipped: [])
      return
    }
    let file = try MappedFile.ofData(path)
    if format == .json {
      self.header = try JSONTable.columns(file, name: name, keys: keys)
      content = .records(file, keys: keys)
      return
    }
    let found = try Self.delimited(file, name: name, format: format, header: header)
    self.header = found.header
    content = .text(file, found.rows, lead: found.lead)
  }

  /// A table whose rows come from something other than the text of one file.
  package init(name: String, header: [String], rows: [TableRow], skipped: [SetAsideLine] = []) {
    self.name = name
    self.header = header
    content = .rows(rows, skipped: skipped)
  }

  /// The table with several rows for each line: see `WideRows`.
  package func split(into count: Int) -> TableFile {
    var rows: [TableRow] = []
    let unread = eachRow { rows.append($0) }
    let split = WideRows.split(header: header, rows: rows, count: count, file: name)
    return TableFile(
      name: name, header: split.header, rows: split.rows, skipped: unread + split.skipped)
  }

  /// Calls `body` with every row below the header.
  ///
  /// - Returns: What could not be read.
  package func eachRow(_ body: (TableRow) -> Void) -> [SetAsideLine] {
    switch content {
    case .rows(let rows, let skipped):
      rows.forEach(body)
      return skipped
    case .records(let file, let keys):
      return JSONTable.eachRow(file, name: name, header: header, keys: keys, body)
    case .text(let file, let rows, var lead):
      let unclosed = file.withBytes { bytes in
        rows.eachRow(bytes) { line, fields in
          if lead > 0 { lead -= 1 } else { body(TableRow(line: line, fields: fields)) }
          return true
        }
      }
      return unclosed.map {
        SetAsideLine(
          file: name, line: $0, reason: "a quotation mark opens here and never closes", content: "")
      }
    }
  }

  /// Whether numbers may have a decimal comma: where commas do not separate fields.
  package var allowsDecimalComma: Bool {
    guard case .text(_, let rows, _) = content else { return false }
    return rows.separatesOtherwise(than: UInt8(ascii: ","))
  }

  /// How a text table is read, and its header; the first rows decide the separator when no format
  /// is stated.
  private static func delimited(
    _ file: MappedFile, name: String, format: TableFormat?, header: [String]?
  ) throws(DataError) -> (rows: DelimitedRows, header: [String], lead: Int) {
    let stated = file.withBytes(statedSeparator)
    let mark = stated == nil ? 0 : 1
    var best: (separator: DelimitedRows.Separator, fields: [String], agreeing: Int)?
    for separator in separators(format, stated) {
      guard let (first, agreeing) = beginning(of: file, separator, after: mark) else { continue }
      // A header of one field agrees with everything and says nothing.
      let rank = (first.count > 1 ? agreeing : 0, first.count)
      if best.map({ rank > ($0.fields.count > 1 ? $0.agreeing : 0, $0.fields.count) }) ?? true {
        best = (separator, first.map(\.trimmingBlanks), agreeing)
      }
    }
    guard let best else { throw DataError("\(name): empty, expected a header line") }
    let columns = header ?? best.fields
    var separator = best.separator
    if case .leading(let byte, _) = separator {
      separator = .leading(byte, fields: columns.count)
    }
    return (DelimitedRows(separator), columns, mark + (header == nil ? 1 : 0))
  }

  /// The first row, and how many of the next ones have as many fields; nil for an empty file.
  private static func beginning(
    of file: MappedFile, _ separator: DelimitedRows.Separator, after lead: Int
  ) -> (first: [String], agreeing: Int)? {
    var first: [String]?
    var agreeing = 0
    var seen = -lead
    file.withBytes { bytes in
      _ = DelimitedRows(separator).eachRow(bytes) { _, fields in
        seen += 1
        guard seen > 0 else { return true }
        if let first { agreeing += fields.count == first.count ? 1 : 0 }
        first = first ?? fields
        return seen < 50
      }
    }
    return first.map { ($0, agreeing) }
  }

  /// The separator that Excel states on a line of its own, as in `sep=;`.
  private static func statedSeparator(_ bytes: UnsafeRawBufferPointer) -> UInt8? {
    let line = bytes.prefix(64).drop { [0xEF, 0xBB, 0xBF].contains($0) }.prefix { $0 != 0x0A }
    let text = line.filter { $0 != 0x0D && $0 != 0x22 }
    return text.count == 5 && text.starts(with: "sep=".utf8) ? text.last : nil
  }

  private static func separators(
    _ format: TableFormat?, _ stated: UInt8?
  ) -> [DelimitedRows.Separator] {
    let comma = DelimitedRows.Separator.byte(UInt8(ascii: ","), isQuoted: true)
    let tab = DelimitedRows.Separator.byte(0x09, isQuoted: true)
    let semicolon = DelimitedRows.Separator.byte(UInt8(ascii: ";"), isQuoted: true)
    let equals = DelimitedRows.Separator.leading(UInt8(ascii: "="), fields: nil)
    return switch format {
    case nil where stated != nil: [.byte(stated ?? 0, isQuoted: true)]
    case .csv: [comma]
    case .tsv: [tab]
    case .semicolon: [semicolon]
    case .equals: [equals]
    case .blank: [.blanks]
    default: [comma, tab, semicolon, equals]
    }
  }
}
