package import RocMetrics
import RocScore

/// A table of results that is written as LaTeX, Markdown, CSV or HTML.
package struct ReportTable: Sendable {
  /// A metric's column.
  package struct Column: Sendable {
    package let title: String
    package let decimals: Int
    /// Which end is best: decides the arrow and the bold value.
    package let higherIsBetter: Bool

    package init(title: String, decimals: Int = 3, higherIsBetter: Bool) {
      self.title = title
      self.decimals = decimals
      self.higherIsBetter = higherIsBetter
    }
  }

  /// One value with the ends of its interval.
  package struct Cell: Sendable {
    package let value: Double?
    package let interval: Interval?

    package init(value: Double?, interval: Interval? = nil) {
      self.value = value
      self.interval = interval
    }
  }

  /// A method's line.
  package struct Row: Sendable {
    package let name: String
    package let cells: [Cell]

    package init(name: String, cells: [Cell]) {
      self.name = name
      self.cells = cells
    }
  }

  package var caption: String
  package var label: String
  package var columns: [Column]
  package var rows: [Row]

  package init(caption: String, label: String, columns: [Column], rows: [Row]) {
    precondition(rows.allSatisfy { $0.cells.count == columns.count }, "rows of unequal length")
    self.caption = caption
    self.label = label
    self.columns = columns
    self.rows = rows
  }

  /// Whether a cell is the best of its column; alone in a column, no cell is.
  func isBest(row: Int, column: Int) -> Bool {
    let values = rows.compactMap { $0.cells[column].value.map { printed($0, column) } }
    guard values.count > 1, let value = rows[row].cells[column].value else { return false }
    let numbers = values.compactMap(Double.init)
    let best = columns[column].higherIsBetter ? numbers.max() : numbers.min()
    return Double(printed(value, column)) == best
  }

  /// A value with its column's decimals; what rounds to zero has no sign.
  func printed(_ value: Double, _ column: Int) -> String {
    let text = fixed(value, columns[column].decimals)
    return Double(text) == 0 ? fixed(0, columns[column].decimals) : text
  }
}
