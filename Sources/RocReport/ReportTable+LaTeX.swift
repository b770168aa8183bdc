import RocMetrics
import RocNames

extension ReportTable {
  /// A booktabs table; needs `\usepackage{booktabs}`.
  ///
  /// Up to three columns go into one of a page's columns, more span both of them (`table*`).
  package var latex: String {
    let isWide = columns.count > 3
    let environment = isWide ? "table*" : "table"
    let alignment = "l" + String(repeating: "c", count: columns.count)
    let titles = columns.map { column in
      "\(Escaped.latex(column.title)) $\\\(column.higherIsBetter ? "uparrow" : "downarrow")$"
    }
    var lines = [
      "\\begin{\(environment)}[t]",
      "  \\centering",
      "  \\caption{\(Escaped.latex(caption))}",
      "  \\label{\(label)}",
      isWide
        ? "  \\small\n  \\setlength{\\tabcolsep}{3pt}"
        : "  \\footnotesize\n  \\setlength{\\tabcolsep}{3pt}",
      "  \\begin{tabular}{\(alignment)}",
      "    \\toprule",
      "    " + (["Method"] + titles).joined(separator: " & ") + " \\\\",
      "    \\midrule",
    ]
    for index in rows.indices {
      lines.append("    " + cells(index).joined(separator: " & ") + " \\\\")
      if let intervals = intervals(index) {
        lines.append("    " + intervals.joined(separator: " & ") + " \\\\")
      }
    }
    lines += ["    \\bottomrule", "  \\end{tabular}", "\\end{\(environment)}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func cells(_ row: Int) -> [String] {
    let values = rows[row].cells.enumerated().map { column, cell in
      guard let value = cell.value else { return "--" }
      let text = Self.math(printed(value, column))
      return isBest(row: row, column: column) ? "\\textbf{\(text)}" : text
    }
    let em = columns.count > 3 ? LaTeXWidth.small : LaTeXWidth.footnotesize
    let name = LaTeXWidth.name(rows[row].name, room: nameRoom(em), em: em)
    return [name] + values
  }

  /// Inches that the columns of numbers leave for the names.
  private func nameRoom(_ em: Double) -> Double {
    var room = columns.count > 3 ? LaTeXWidth.page : LaTeXWidth.column
    for (column, title) in columns.enumerated() {
      var width = LaTeXWidth.ems("\(title.title) ↑") * em
      for row in rows {
        let cell = row.cells[column]
        if let value = cell.value {
          width = max(width, LaTeXWidth.ems(signed(value, column)) * em)
        }
        if let interval = cell.interval {
          let text = "[\(signed(interval.low, column)), \(signed(interval.high, column))]"
          width = max(width, LaTeXWidth.ems(text) * LaTeXWidth.scriptsize)
        }
      }
      // Three points on each side.
      room -= width + 6 / 72.27
    }
    return room - 6 / 72.27
  }

  private func signed(_ value: Double, _ column: Int) -> String {
    printed(value, column).replacing("-", with: "−")
  }

  /// The line of 95 % intervals below a row, where any cell has one.
  private func intervals(_ row: Int) -> [String]? {
    let cells = rows[row].cells
    guard cells.contains(where: { $0.interval != nil }) else { return nil }
    let texts = cells.enumerated().map { column, cell in
      cell.interval.map {
        "{\\scriptsize [\(Self.math(printed($0.low, column))), "
          + "\(Self.math(printed($0.high, column)))]}"
      } ?? ""
    }
    return ["{\\scriptsize 95\\,\\% interval}"] + texts
  }

  /// A number with a minus sign instead of a hyphen.
  private static func math(_ number: String) -> String {
    number.first == "-" ? "$-$\(number.dropFirst())" : number
  }
}
