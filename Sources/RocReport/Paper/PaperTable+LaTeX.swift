import RocNames

extension PaperTable {
  /// A booktabs table; needs `\usepackage{booktabs}`.
  ///
  /// - Parameter underlinesSecond: Marks second-best values.
  /// - Returns: A table environment, ready to `\input`.
  package func latex(underlinesSecond: Bool = false) -> String {
    let ranking = ranking(marksSecond: underlinesSecond)
    let environment = isWide ? "table*" : "table"
    var result = [
      "\\begin{\(environment)}[t]", "  \\centering",
      "  \\caption{\(Escaped.latex(caption))}", "  \\label{\(label)}",
      // They fit a page 7 inches wide and a column of 3.3 inches, as AAAI's are.
      isWide ? "  \\scriptsize" : "  \\footnotesize",
      "  \\setlength{\\tabcolsep}{\(isWide ? "1.5" : "3")pt}",
      "  \\begin{tabular}{l\(String(repeating: "c", count: columns - 1))}", "    \\toprule",
    ]
    var rules: [String] = []
    var isHeader = false
    let room = nameRoom()
    for line in lines {
      switch line {
      case .rule: result.append("    \\midrule")
      case .gap: result.append("    \\addlinespace[2pt]")
      case .header(let cells):
        result.append("    \(row(cells, ranking, room: room, isTitle: true)) \\\\")
        rules = Self.partialRules(cells)
        if !rules.isEmpty { result.append("    " + rules.joined(separator: " ")) }
        isHeader = true
      case .row(let cells):
        if isHeader { result.append("    \\midrule") }
        isHeader = false
        result.append(
          "    \(row(cells, ranking, room: room, isTitle: false)) \\\\")
      }
    }
    result += ["    \\bottomrule", "  \\end{tabular}"]
    for note in footnotes { result.append("  \\\\[2pt] {\\footnotesize \(Self.note(note))}") }
    return (result + ["\\end{\(environment)}"]).joined(separator: "\n") + "\n"
  }

  private var em: Double { isWide ? LaTeXWidth.scriptsize : LaTeXWidth.footnotesize }

  /// Inches that the other columns leave for the names.
  private func nameRoom() -> Double {
    var widths = Array(repeating: 0.0, count: columns)
    let separation = (isWide ? 3 : 6) / 72.27
    // First the columns by themselves, then what spans several of them.
    for isSpanning in [false, true] {
      for line in lines {
        let cells: [Cell] =
          switch line {
          case .header(let cells), .row(let cells): cells
          case .rule, .gap: []
          }
        let isTitle = if case .header = line { true } else { false }
        var place = 0
        for cell in cells {
          let last = min(place + cell.span, columns)
          if place > 0, last > place, (cell.span > 1) == isSpanning {
            let width = min(
              Self.ems(cell.content) * em, isTitle && cell.span == 1 ? mostForTitle : 7)
            let own = widths[place..<last].reduce(0, +) + Double(cell.span - 1) * separation
            widths[last - 1] += max(width - own, 0)
          }
          place = last
        }
      }
    }
    let total = widths.reduce(0) { $0 + $1 + separation }
    return min((isWide ? LaTeXWidth.page : LaTeXWidth.column) - total, 2)
  }

  /// Names of methods above columns are broken beyond this many inches.
  private var mostForTitle: Double { 0.9 }

  private static func ems(_ content: Content) -> Double {
    switch content {
    case .empty: 0
    case .missing: 0.33
    case .text(let text): LaTeXWidth.ems(text)
    case .metric(let name, _): LaTeXWidth.ems("\(name)↑")
    case .value(let value):
      LaTeXWidth.ems(value.printed.replacing("-", with: "−"))
        + LaTeXWidth.ems(value.marks) * 0.75
        + (value.delta.map { LaTeXWidth.ems(" \($0)") } ?? 0)
    }
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

  private func row(_ cells: [Cell], _ ranking: Ranking, room: Double, isTitle: Bool) -> String {
    cells.enumerated().map { place, cell in
      if place == 0, cell.span == 1, case .text(let text) = cell.content {
        return LaTeXWidth.name(text, room: room, em: em)
      }
      if isTitle, place > 0, cell.span == 1, case .text(let text) = cell.content {
        return LaTeXWidth.name(
          text, room: mostForTitle, em: em, width: 0.7, alignment: "\\centering")
      }
      let text = Self.content(cell.content, ranking)
      return cell.span > 1 ? "\\multicolumn{\(cell.span)}{c}{\(text)}" : text
    }.joined(separator: " & ")
  }

  private static func content(_ content: Content, _ ranking: Ranking) -> String {
    switch content {
    case .empty: return ""
    case .missing: return "-"
    case .text(let text): return Escaped.latex(text)
    case .metric(let name, let higherIsBetter):
      return "\(Escaped.latex(name))$\\\(higherIsBetter ? "uparrow" : "downarrow")$"
    case .value(let value):
      var text = value.printed
      if text.first == "-" { text = "$-$\(text.dropFirst())" }
      switch ranking.rank(of: value) {
      case .plain: break
      case .best: text = "\\textbf{\(text)}"
      case .second: text = "\\underline{\(text)}"
      }
      if !value.marks.isEmpty { text += "$^{\(value.marks)}$" }
      return text + (value.delta.map { " \(Escaped.latex($0))" } ?? "")
    }
  }

  /// A footnote whose mark is the letter before its first blank.
  private static func note(_ text: String) -> String {
    let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
    return parts.count == 2
      ? "$^{\(parts[0])}$ \(Escaped.latex(parts[1]))" : Escaped.latex(text)
  }
}
