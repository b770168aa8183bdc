import RocNames

/// A table of a page, which can be downloaded as CSV and LaTeX, too.
package struct PageTable: Sendable {
  package struct Column: Sendable {
    let title: String
    let isNumber: Bool
    /// Whether values have intervals: in CSV they are columns of their own.
    let hasInterval: Bool
    /// Whether texts are broken anywhere rather than make the table wider.
    let isLong: Bool

    init(
      _ title: String, isNumber: Bool = false, hasInterval: Bool = false, isLong: Bool = false
    ) {
      self.title = title
      self.isLong = isLong
      self.isNumber = isNumber || hasInterval
      self.hasInterval = hasInterval
    }
  }

  /// One field: what is shown, what it leads to, and what files hold.
  package struct Cell: Sendable, ExpressibleByStringLiteral {
    let text: String
    var address: String?
    /// Unrounded, for CSV; the text where there is none.
    var exact: String?
    var interval: Ends?

    /// The ends of an interval, rounded and not.
    struct Ends: Sendable {
      let low: Cell.Number
      let high: Cell.Number
    }

    /// A number as it is shown, and as it is.
    struct Number: Sendable {
      let text: String
      let exact: String
    }

    init(_ text: String, address: String? = nil, exact: String? = nil) {
      self.text = text
      self.address = address
      self.exact = exact
    }

    package init(stringLiteral value: String) { self.init(value) }

    /// A rounded number.
    static func number(_ value: Double?, _ decimals: Int) -> Cell {
      Cell(Shown.number(value, decimals), exact: value.map { $0.isFinite ? "\($0)" : "" } ?? "")
    }

    /// A rounded number with its interval.
    static func measured(
      _ value: Double?, _ interval: (low: Double, high: Double)?, _ decimals: Int
    ) -> Cell {
      var cell = number(value, decimals)
      cell.interval = interval.map { ends in
        func end(_ value: Double) -> Number {
          Number(text: Shown.number(value, decimals), exact: "\(value)")
        }
        return Ends(low: end(ends.low), high: end(ends.high))
      }
      return cell
    }

    /// A p-value.
    static func chance(_ value: Double?) -> Cell {
      guard let value, value < 1e-4 else { return number(value, 4) }
      return Cell("< 0.0001", exact: "\(value)")
    }

    static func count(_ value: Int) -> Cell { Cell(Shown.count(value), exact: "\(value)") }
  }

  /// Tells it from others of its page.
  let name: String
  let caption: String
  let columns: [Column]
  let rows: [[Cell]]

  init(_ name: String, _ caption: String, _ columns: [Column], _ rows: [[Cell]]) {
    self.name = name
    self.caption = caption
    self.columns = columns
    self.rows = rows
  }

  /// - Parameter query: Of the page's address.
  /// - Returns: The table with links to its files.
  func html(_ query: Query) -> HTML {
    guard !rows.isEmpty else { return "<p>None.</p>" }
    let head = columns.map { column -> HTML in
      column.isNumber
        ? "<th class=\"n\">\(column.title)</th>" : "<th>\(column.title)</th>"
    }
    let lines = rows.map { row -> HTML in
      let cells = zip(columns, row).map { column, cell -> HTML in
        let text: HTML =
          cell.address.map { "<a href=\"\($0)\">\(cell.text)</a>" } ?? "\(cell.text)"
        let interval: HTML? = cell.interval.map {
          "<br><small>\($0.low.text) to \($0.high.text)</small>"
        }
        return column.isNumber
          ? "<td class=\"n\">\(text)\(interval)</td>"
          : column.isLong ? "<td class=\"break\">\(text)</td>" : "<td>\(text)</td>"
      }
      return "<tr>\(cells)</tr>"
    }
    let own = query.with("table", name)
    return """
      <div class="scroll"><table><thead><tr>\(head)</tr></thead><tbody>\(lines)</tbody></table></div>
      <p class="downloads"><a href="\(own.with("as", "csv").text)">CSV</a>
      <a href="\(own.with("as", "latex").text)">LaTeX</a></p>
      """
  }

  var csv: String {
    let head = columns.flatMap { column in
      column.hasInterval
        ? [column.title, "\(column.title) low", "\(column.title) high"] : [column.title]
    }
    let fields = rows.map { row in
      zip(columns, row).flatMap { column, cell -> [String] in
        let own = cell.exact ?? cell.text
        guard column.hasInterval else { return [own] }
        return [own, cell.interval?.low.exact ?? "", cell.interval?.high.exact ?? ""]
      }
    }
    let lines = [head] + fields
    return lines.map { $0.map(Escaped.csv).joined(separator: ",") + "\n" }.joined()
  }

  /// A booktabs table; needs `\usepackage{booktabs}`.
  var latex: String {
    func line(_ fields: [String]) -> String { "    \(fields.joined(separator: " & ")) \\\\" }
    let lines = rows.map { row in
      line(
        row.map { cell in
          let interval = cell.interval.map {
            " {\\scriptsize [\(Self.field($0.low.text)), \(Self.field($0.high.text))]}"
          }
          return Self.field(cell.text) + (interval ?? "")
        })
    }
    return """
      \\begin{table}[t]
        \\centering
        \\footnotesize
        \\caption{\(Escaped.latex(caption))}
        \\begin{tabular}{\(columns.map { $0.isNumber ? "r" : "l" }.joined())}
          \\toprule
      \(line(columns.map { Self.field($0.title) }))
          \\midrule
      \(lines.joined(separator: "\n"))
          \\bottomrule
        \\end{tabular}
      \\end{table}

      """
  }

  /// Signs that fonts of LaTeX spell otherwise.
  private static func field(_ text: String) -> String {
    Escaped.latex(
      text.replacing("\u{202F}", with: " ").replacing("–", with: "--")
    ).replacing("−", with: "$-$").replacing("±", with: "$\\pm$")
  }
}
