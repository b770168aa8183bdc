import RocTensor

/// A table file as rows of fields under named columns.
struct TableReader {
  /// One line of the file.
  struct Row {
    let line: Int
    let fields: [String]
  }

  let name: String
  private let columns: [String: Int]
  let header: [String]
  let rows: [Row]

  /// - Throws: `DataError` when the file cannot be read or lacks a column that the manifest names.
  init(_ path: String, name: String, table: Manifest.Table) throws(DataError) {
    self.name = name
    let file = try MappedFile.ofData(path)
    switch table.format ?? .csv {
    case .csv:
      let csv = try file.withBytes { bytes throws(DataError) in try CSVFile(bytes, name: name) }
      let first = CSVFile.Row(line: 1, fields: csv.header)
      header = table.header ?? csv.header
      rows = (table.header == nil ? csv.rows : [first] + csv.rows).map {
        Row(line: $0.line, fields: $0.fields)
      }
    case .blank:
      var found: [Row] = []
      try LineReader(path, name: name).eachLine { number, line in
        let fields = line.split { $0 == 0x20 || $0 == 0x09 }
          .map { String(decoding: $0, as: UTF8.self) }
        if !fields.isEmpty { found.append(Row(line: number, fields: fields)) }
      }
      if let names = table.header {
        header = names
        rows = found
      } else {
        header = found.first?.fields ?? []
        rows = Array(found.dropFirst())
      }
    }
    columns = Dictionary(
      header.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { a, _ in a })
    let votes = table.votes.map { $0.columns + ($0.total.map { [$0] } ?? []) } ?? []
    let needed =
      [table.key] + [table.score, table.partColumn?.column].compactMap { $0 } + votes
    for column in needed where columns[column] == nil {
      throw DataError(
        """
        \(name): no column \(column); the columns are \(header.joined(separator: ", "))
        """)
    }
  }

  /// A field of a row, blanks at its ends removed; nil where the file has no such column.
  func field(_ row: Row, _ column: String) -> String? {
    columns[column].flatMap { $0 < row.fields.count ? row.fields[$0].trimmingBlanks : nil }
  }
}
