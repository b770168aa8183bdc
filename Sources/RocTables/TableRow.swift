package import RocJSON

/// One row of a table, whatever file it comes from.
package struct TableRow: Sendable {
  /// The line of its first character, from 1; in a workbook, the row's number.
  package let line: Int
  package let fields: [String]
  /// The record, where the file is JSON.
  package let json: JSON?
  /// The record's number, from 1, where the file is JSON.
  package let record: Int?

  package init(line: Int, fields: [String], json: JSON? = nil, record: Int? = nil) {
    self.line = line
    self.fields = fields
    self.json = json
    self.record = record
  }
}

/// How a table is written.
package enum TableFormat: Sendable {
  /// Commas and quotes.
  case csv
  case tsv
  case semicolon
  /// Equals signs without quotes; the last column may itself contain some.
  case equals
  /// Blanks or tabs.
  case blank
  /// Records in an array, one a line or back to back, or an object of objects by picture.
  case json
  /// The first sheet of an Excel workbook.
  case xlsx
}
