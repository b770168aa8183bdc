import RocJSON
import RocNames
import RocStore
import RocTensor

/// A table file as rows of fields under named columns, read one at a time.
struct TableReader {
  /// One line of the file.
  struct Row {
    let line: Int
    let fields: [String]
    /// The record, where the file is JSON.
    let json: JSON?
    /// The record's number, from 1, where the file is JSON.
    var record: Int?
  }

  let name: String
  let header: [String]
  let table: Manifest.Table
  /// What of the key's text is the name; made once, since making it costs more than matching.
  let names: NamePattern?
  private let columns: [ExactText: Int]
  private let content: Content

  private enum Content {
    /// Lines before the first row: a header, and Excel's `sep=;`.
    case text(MappedFile, DelimitedRows, lead: Int)
    case records(MappedFile)
    case rows([Row], skipped: [SkippedLine])
  }

  /// - Throws: `DataError` when the file cannot be read or lacks a column that the manifest names.
  init(_ path: String, name: String, table: Manifest.Table) throws(DataError) {
    try self.init(path, name: name, table: table, rows: nil)
  }

  /// A table whose rows come from elsewhere than one file's text.
  init(
    _ path: String, name: String, table: Manifest.Table, rows: (header: [String], rows: [Row])?
  ) throws(DataError) {
    self.name = name
    self.table = table
    names = table.keyMatch.flatMap(NamePattern.init)
    if let rows {
      header = rows.header
      content = .rows(rows.rows, skipped: [])
    } else if let wide = table.wide {
      let (columns, narrow) = try Self.open(path, name: name, table: table)
      let split = WideRows.split(
        header: columns, rows: Self.rows(of: narrow, name: name), count: wide.count, file: name)
      header = split.header
      content = .rows(split.rows, skipped: split.skipped)
    } else {
      (header, content) = try Self.open(path, name: name, table: table)
    }
    columns = Dictionary(
      header.enumerated().map { (ExactText($0.element), $0.offset) },
      uniquingKeysWith: { a, _ in a })
    if let missing = missingColumn {
      throw DataError(
        """
        \(name): no column \(missing); the columns are \(header.joined(separator: ", "))
        """)
    }
  }

  /// A column that the manifest needs and the file lacks.
  private var missingColumn: String? {
    let needed =
      [table.partColumn?.column, table.rater].compactMap { $0 } + (table.votes?.all ?? [])
    if let column = needed.first(where: { columns[$0] == nil }) { return column }
    for names in [table.key, table.score].compactMap({ $0 }) {
      let isThere = names.all.contains { name in
        Self.parts(of: name).allSatisfy { columns[$0] != nil }
      }
      if !isThere { return names.all.joined(separator: " or ") }
    }
    return nil
  }

  /// The columns that a pattern such as `imgs/{session}/{name}` or `id->` refers to.
  private static func parts(of name: String) -> [String] {
    if name.hasSuffix("->") { return [String(name.dropLast(2))] }
    guard name.contains("{") else { return [name] }
    return name.split(separator: "{").dropFirst(name.hasPrefix("{") ? 0 : 1)
      .map { String($0.prefix { $0 != "}" }) }
  }

  private static func open(
    _ path: String, name: String, table: Manifest.Table
  ) throws(DataError) -> ([String], Content) {
    let ending = PathName.ending(path)
    let format = table.format ?? ["json": .json, "jsonl": .json, "xlsx": .xlsx][ending]
    if format == .xlsx {
      let book = try Workbook(path, name: name)
      let rows = book.rows.map { Row(line: $0.line, fields: $0.fields, json: nil) }
      guard let first = rows.first else { throw DataError("\(name): an empty sheet") }
      return (
        table.header ?? first.fields,
        .rows(table.header == nil ? Array(rows.dropFirst()) : rows, skipped: [])
      )
    }
    let file = try MappedFile.ofData(path)
    if format == .json {
      let names = try JSONTable.columns(file, name: name, key: table.key)
      return (names, .records(file))
    }
    let (rows, header, mark) = try delimited(file, name: name, table: table, format: format)
    return (header, .text(file, rows, lead: (table.header == nil ? 1 : 0) + mark))
  }

  /// How a text table is read and its header, which also decides the separator when no format is
  /// stated.
  private static func delimited(
    _ file: MappedFile, name: String, table: Manifest.Table, format: Manifest.Format?
  ) throws(DataError) -> (DelimitedRows, [String], lead: Int) {
    // Excel writes the separator on a line of its own.
    let stated = file.withBytes { bytes -> UInt8? in
      let line = bytes.prefix(64).drop { [0xEF, 0xBB, 0xBF].contains($0) }.prefix { $0 != 0x0A }
      let text = line.filter { $0 != 0x0D && $0 != 0x22 }
      return text.count == 5 && text.starts(with: "sep=".utf8) ? text.last : nil
    }
    let comma = DelimitedRows.Separator.byte(UInt8(ascii: ","), isQuoted: true)
    let choices: [DelimitedRows.Separator] =
      switch format {
      case nil where stated != nil: [.byte(stated ?? 0, isQuoted: true)]
      case .csv: [comma]
      case .tsv: [.byte(0x09, isQuoted: true)]
      case .semicolon: [.byte(UInt8(ascii: ";"), isQuoted: true)]
      case .equals: [.leading(UInt8(ascii: "="), fields: nil)]
      case .blank: [.blanks]
      default:
        [
          comma, .byte(0x09, isQuoted: true), .byte(UInt8(ascii: ";"), isQuoted: true),
          .leading(UInt8(ascii: "="), fields: nil),
        ]
      }
    var best: (separator: DelimitedRows.Separator, fields: [String], agreeing: Int)?
    for separator in choices {
      var first: [String]?
      var agreeing = 0
      var seen = 0
      var lead = stated == nil ? 0 : 1
      file.withBytes { bytes in
        _ = DelimitedRows(separator).eachRow(bytes) { _, fields in
          if lead > 0 {
            lead -= 1
            return true
          }
          if let first { agreeing += fields.count == first.count ? 1 : 0 }
          first = first ?? fields
          seen += 1
          return seen < 50
        }
      }
      guard let first else { continue }
      // A header of one field agrees with everything and says nothing.
      let rank = (first.count > 1 ? agreeing : 0, first.count)
      if best.map({ rank > ($0.fields.count > 1 ? $0.agreeing : 0, $0.fields.count) }) ?? true {
        best = (separator, first.map(\.trimmingBlanks), agreeing)
      }
    }
    guard let best else { throw DataError("\(name): empty, expected a header line") }
    let header = table.header ?? best.fields
    if case .leading(let mark, _) = best.separator {
      return (DelimitedRows(.leading(mark, fields: header.count)), header, stated == nil ? 0 : 1)
    }
    return (DelimitedRows(best.separator), header, stated == nil ? 0 : 1)
  }

  /// Where a row stands, for messages.
  func place(_ row: Row) -> String {
    "\(name):\(row.line)" + (row.record.map { ", record \($0)" } ?? "")
  }

  /// A row that is set aside.
  func skipped(_ row: Row, _ reason: String) -> SkippedLine {
    SkippedLine(
      file: name, line: row.line, record: row.record, reason: reason,
      content: row.json?.line ?? row.fields.joined(separator: ","))
  }

  /// Calls `body` with every row below the header.
  ///
  /// - Returns: What could not be read.
  func eachRow(_ body: (Row) -> Void) -> [SkippedLine] {
    switch content {
    case .rows(let rows, let skipped):
      rows.forEach(body)
      return skipped
    case .records(let file):
      return JSONTable.eachRow(file, name: name, header: header, key: table.key, body)
    case .text(let file, let rows, var lead):
      let unclosed = file.withBytes { bytes in
        rows.eachRow(bytes) { line, fields in
          if lead > 0 { lead -= 1 } else { body(Row(line: line, fields: fields, json: nil)) }
          return true
        }
      }
      return unclosed.map {
        SkippedLine(
          file: name, line: $0, reason: "a quotation mark opens here and never closes", content: "")
      }
    }
  }

  /// The rows of a text below its header.
  private static func rows(of content: Content, name: String) -> [Row] {
    guard case .text(let file, let rows, let lead) = content else { return [] }
    var result: [Row] = []
    _ = file.withBytes { bytes in
      rows.eachRow(bytes) { line, fields in
        result.append(Row(line: line, fields: fields, json: nil))
        return true
      }
    }
    return Array(result.dropFirst(lead))
  }

  /// The column of gt_score: one for the whole file, so that scales never mix; what `id->` says
  /// stands in where that is empty.
  var score: Manifest.Names? {
    guard let names = table.score else { return nil }
    let plain = names.all.first { columns[$0] != nil }
    return Manifest.Names((plain.map { [$0] } ?? []) + names.all.filter { $0.hasSuffix("->") })
  }

  /// Whether numbers may have a comma for a point: where commas separate no fields.
  var allowsDecimalComma: Bool {
    guard case .text(_, let rows, _) = content else { return false }
    return rows.separatesOtherwise(than: UInt8(ascii: ","))
  }

  /// A field of a row, blanks at its ends removed; nil where the file has no such column.
  func field(_ row: Row, _ column: String) -> String? {
    columns[column].flatMap { $0 < row.fields.count ? row.fields[$0].trimmingBlanks : nil }
  }

  /// The first of several columns, or patterns of them, that has text in this row.
  func field(_ row: Row, _ names: Manifest.Names) -> (column: String, text: String)? {
    var empty: (column: String, text: String)?
    for name in names.all {
      guard let text = text(row, name) else { continue }
      if !text.isEmpty { return (name, text) }
      empty = empty ?? (name, "")
    }
    return empty
  }

  private func text(_ row: Row, _ name: String) -> String? {
    if name.hasSuffix("->") {
      guard let whole = field(row, String(name.dropLast(2))),
        let arrow = whole.ranges(of: "->").last
      else { return nil }
      return String(whole[arrow.upperBound...]).trimmingBlanks
    }
    guard name.contains("{") else { return field(row, name) }
    var result = ""
    var rest = name[...]
    while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
      guard let part = field(row, String(rest[rest.index(after: start)..<end])), !part.isEmpty
      else { return "" }
      result += rest[..<start] + part
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}
