/// Columns for people.
package enum Text {
  /// Rows as aligned columns; the first row is the header.
  ///
  /// Cells stay on their lines.
  package static func columns(_ rows: [[String]]) -> String {
    let rows = rows.map { $0.map(Quoted.name) }
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { i in rows.map { $0.count > i ? $0[i].count : 0 }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { i, cell in
        i == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[i] - cell.count)
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
