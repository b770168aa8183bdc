import RocMetrics
import RocNames

extension ReportTable {
  /// A GitHub-flavoured Markdown table.
  package var markdown: String {
    let titles = columns.map { "\($0.title) \($0.higherIsBetter ? "↑" : "↓")" }
    var lines = ["| " + (["Method"] + titles).joined(separator: " | ") + " |"]
    lines.append("|---|" + String(repeating: "---:|", count: columns.count))
    for (index, row) in rows.enumerated() {
      let cells = row.cells.enumerated().map { column, cell in
        guard let value = cell.value else { return "–" }
        let text = printed(value, column)
        return isBest(row: index, column: column) ? "**\(text)**" : text
      }
      let name = Escaped.markdown(row.name)
      lines.append("| " + ([name] + cells).joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A page of its own that loads nothing from the network.
  package var html: String {
    let titles = columns.map {
      "<th>\(Escaped.xml($0.title)) \($0.higherIsBetter ? "↑" : "↓")</th>"
    }
    var body = "<tr><th>Method</th>\(titles.joined())</tr>\n"
    for (index, row) in rows.enumerated() {
      let cells = row.cells.enumerated().map { column, cell -> String in
        guard let value = cell.value else { return "<td>–</td>" }
        let text = Self.minus(printed(value, column))
        let strong = isBest(row: index, column: column) ? "<b>\(text)</b>" : text
        let interval = cell.interval.map {
          "<small>[\(Self.minus(printed($0.low, column))), "
            + "\(Self.minus(printed($0.high, column)))]</small>"
        }
        return "<td>\(strong)\(interval ?? "")</td>"
      }
      body += "<tr><th>\(Escaped.xml(row.name))</th>\(cells.joined())</tr>\n"
    }
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(Escaped.xml(rows.first?.name ?? "Results"))</title>
      <style>
      :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
      body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
      div { overflow-x: auto; }
      table { border-collapse: collapse; border-block: 2px solid; }
      th, td { padding: .4rem .6rem; text-align: center; white-space: nowrap; }
      th:first-child { text-align: left; }
      tr:first-child { border-bottom: 1px solid; }
      small { display: block; opacity: .7; }
      </style></head><body>
      <p>\(Escaped.xml(caption))</p>
      <div><table>
      \(body)</table></div>
      </body></html>

      """
  }

  /// A number with a true minus sign.
  private static func minus(_ number: String) -> String {
    number.first == "-" ? "−\(number.dropFirst())" : number
  }
}
