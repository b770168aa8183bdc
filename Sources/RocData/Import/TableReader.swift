import RocJSON
import RocNames
import RocTables

/// The rows of a table as a manifest describes them, its columns by name.
struct TableReader {
  let name: String
  let table: Manifest.Table
  /// Which part of the key's text is the name; made once, since making it costs more than matching.
  let names: NamePattern?
  private let columns: [ExactText: Int]
  private let file: TableFile

  var header: [String] { file.header }

  /// - Throws: `DataError` when the file cannot be read or lacks a column that the manifest names.
  init(_ path: String, name: String, table: Manifest.Table) throws(DataError) {
    let file = try TableFile(
      path, name: name, format: table.format?.ofFile, header: table.header,
      keys: table.key?.all ?? [])
    try self.init(table.wide.map { file.split(into: $0.count) } ?? file, name: name, table: table)
  }

  /// A table whose rows come from something other than the text of one file.
  init(_ file: TableFile, name: String, table: Manifest.Table) throws(DataError) {
    self.file = file
    self.name = name
    self.table = table
    names = table.keyMatch.flatMap(NamePattern.init)
    columns = Dictionary(
      file.header.enumerated().map { (ExactText($0.element), $0.offset) },
      uniquingKeysWith: { a, _ in a })
    // Spreadsheets break long titles over lines; nothing else of that kind is a title.
    let odd = file.header.first { $0.unicodeScalars.contains(where: Quoted.isHarmful) }
    if let odd {
      throw DataError(
        "\(name): column \(Quoted.name(odd)) has control characters in its name; rename it")
    }
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

  /// Where a row stands, for messages.
  func place(_ row: TableRow) -> String {
    "\(name):\(row.line)" + (row.record.map { ", record \($0)" } ?? "")
  }

  /// A row that is set aside.
  func skipped(_ row: TableRow, _ reason: String) -> SetAsideLine {
    SetAsideLine(
      file: name, line: row.line, record: row.record, reason: reason,
      content: row.json?.line ?? row.fields.joined(separator: ","))
  }

  /// Calls `body` with every row below the header.
  ///
  /// - Returns: What could not be read.
  func eachRow(_ body: (TableRow) -> Void) -> [SetAsideLine] { file.eachRow(body) }

  /// Whether numbers may have a decimal comma.
  var allowsDecimalComma: Bool { file.allowsDecimalComma }

  /// The column of gt_score: one for the whole file, so that scales never mix; where it is
  /// empty, what `id->` says takes its place.
  var score: Manifest.Names? {
    guard let names = table.score else { return nil }
    let plain = names.all.first { columns[$0] != nil }
    return Manifest.Names((plain.map { [$0] } ?? []) + names.all.filter { $0.hasSuffix("->") })
  }

  /// A field of a row, blanks at its ends removed; nil where the file has no such column.
  func field(_ row: TableRow, _ column: String) -> String? {
    columns[column].flatMap { $0 < row.fields.count ? row.fields[$0].trimmingBlanks : nil }
  }

  /// The first of several columns, or patterns of them, that has text in this row.
  func field(_ row: TableRow, _ names: Manifest.Names) -> (column: String, text: String)? {
    var empty: (column: String, text: String)?
    for name in names.all {
      guard let text = text(row, name) else { continue }
      if !text.isEmpty { return (name, text) }
      empty = empty ?? (name, "")
    }
    return empty
  }

  private func text(_ row: TableRow, _ name: String) -> String? {
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

extension Manifest.Format {
  /// How such a table's file is written; nil where it is not the text of one file.
  fileprivate var ofFile: TableFormat? {
    switch self {
    case .csv: .csv
    case .tsv: .tsv
    case .semicolon: .semicolon
    case .equals: .equals
    case .blank: .blank
    case .json: .json
    case .xlsx: .xlsx
    case .mat, .paths: nil
    }
  }
}
