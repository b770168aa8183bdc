extension PaperTable {
  /// A booktabs table; needs `\usepackage{booktabs}`.
  ///
  /// - Parameter underlinesSecond: Marks second best values.
  /// - Returns: A table environment, ready to `\input`.
  package func latex(underlinesSecond: Bool = false) -> String {
    let (best, second) = ranks()
    let environment = isWide ? "table*" : "table"
    var result = [
      "\\begin{\(environment)}[t]", "  \\centering",
      "  \\caption{\(ReportTable.escaped(caption))}", "  \\label{\(label)}",
      // They fit a page 7 inches wide and a column of 3.3 inches, as AAAI's are.
      isWide ? "  \\scriptsize" : "  \\footnotesize",
      "  \\setlength{\\tabcolsep}{\(isWide ? "1.5" : "3")pt}",
      "  \\begin{tabular}{l\(String(repeating: "c", count: columns - 1))}", "    \\toprule",
    ]
    var rules: [String] = []
    var isHeader = false
    for line in lines {
      switch line {
      case .rule: result.append("    \\midrule")
      case .gap: result.append("    \\addlinespace[2pt]")
      case .header(let cells):
        result.append("    \(row(cells, best, second, underlinesSecond)) \\\\")
        rules = Self.partialRules(cells)
        if !rules.isEmpty { result.append("    " + rules.joined(separator: " ")) }
        isHeader = true
      case .row(let cells):
        if isHeader { result.append("    \\midrule") }
        isHeader = false
        result.append("    \(row(cells, best, second, underlinesSecond)) \\\\")
      }
    }
    result += ["    \\bottomrule", "  \\end{tabular}"]
    for note in footnotes { result.append("  \\\\[2pt] {\\footnotesize \(Self.note(note))}") }
    return (result + ["\\end{\(environment)}"]).joined(separator: "\n") + "\n"
  }

  /// Lines below the groups of columns.
  private static func partialRules(_ cells: [Cell]) -> [String] {
    var column = 1
    var rules: [String] = []
    for cell in cells {
      if cell.isUnderlined { rules.append("\\cmidrule(lr){\(column)-\(column + cell.span - 1)}") }
      column += cell.span
    }
    return rules
  }

  private func row(
    _ cells: [Cell], _ best: [Contest: String], _ second: [Contest: String], _ underlines: Bool
  ) -> String {
    cells.map { cell in
      let text = Self.content(cell.content, best, second, underlines)
      return cell.span > 1 ? "\\multicolumn{\(cell.span)}{c}{\(text)}" : text
    }.joined(separator: " & ")
  }

  private static func content(
    _ content: Content, _ best: [Contest: String], _ second: [Contest: String], _ underlines: Bool
  ) -> String {
    switch content {
    case .empty: return ""
    case .missing: return "-"
    case .text(let text): return ReportTable.escaped(text)
    case .metric(let name, let higherIsBetter):
      return "\(ReportTable.escaped(name))$\\\(higherIsBetter ? "uparrow" : "downarrow")$"
    case .value(let value):
      var text = value.printed
      if text.first == "-" { text = "$-$\(text.dropFirst())" }
      if let contest = value.contest {
        if best[contest] == value.printed {
          text = "\\textbf{\(text)}"
        } else if underlines, second[contest] == value.printed {
          text = "\\underline{\(text)}"
        }
      }
      if !value.marks.isEmpty { text += "$^{\(value.marks)}$" }
      return text + (value.delta.map { " \(ReportTable.escaped($0))" } ?? "")
    }
  }

  /// A footnote whose mark is the letter before its first blank.
  private static func note(_ text: String) -> String {
    let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
    return parts.count == 2
      ? "$^{\(parts[0])}$ \(ReportTable.escaped(parts[1]))" : ReportTable.escaped(text)
  }
}
