import RocMetrics

extension ReportTable {
  /// A booktabs table; needs `\usepackage{booktabs}`.
  package var latex: String {
    let alignment = "l" + String(repeating: "c", count: columns.count)
    let titles = columns.map { column in
      "\(Self.escaped(column.title)) $\\\(column.higherIsBetter ? "uparrow" : "downarrow")$"
    }
    var lines = [
      "\\begin{table}[t]",
      "  \\centering",
      "  \\caption{\(Self.escaped(caption))}",
      "  \\label{\(label)}",
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
    lines += ["    \\bottomrule", "  \\end{tabular}", "\\end{table}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func cells(_ row: Int) -> [String] {
    let values = rows[row].cells.enumerated().map { column, cell in
      guard let value = cell.value else { return "--" }
      let text = Self.math(printed(value, column))
      return isBest(row: row, column: column) ? "\\textbf{\(text)}" : text
    }
    return [Self.escaped(rows[row].name)] + values
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

  /// Text with LaTeX's special characters made harmless.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    func add(_ text: String) { result.append(contentsOf: text.unicodeScalars) }
    for character in text.unicodeScalars {
      switch character {
      case "\\": add("\\textbackslash{}")
      case "~": add("\\textasciitilde{}")
      case "^": add("\\textasciicircum{}")
      case "<", ">", "|": add("$\(character)$")
      case "&", "%", "$", "#", "_", "{", "}": add("\\\(character)")
      default: result.append(character)
      }
    }
    return String(result)
  }
}
