import RocNames

extension PaperTable {
  /// A GitHub-flavoured Markdown table; a cell that spans columns stands in the first of them.
  package func markdown(underlinesSecond: Bool = false) -> String {
    let ranking = ranking(marksSecond: underlinesSecond)
    var result: [String] = []
    var hasHead = false
    // Markdown has one header line: the others become rows in italics.
    for line in lines {
      switch line {
      case .rule, .gap: continue
      case .header(let cells):
        result.append(row(cells, ranking, isHead: hasHead))
        if !hasHead {
          result.append("|---|" + String(repeating: "---:|", count: columns - 1))
          hasHead = true
        }
      case .row(let cells):
        result.append(row(cells, ranking, isHead: false))
      }
    }
    let notes = footnotes.map { "\n\($0)" }.joined()
    return result.joined(separator: "\n") + "\n\n\(caption)\n\(notes.isEmpty ? "" : notes + "\n")"
  }

  private func row(_ cells: [Cell], _ ranking: Ranking, isHead: Bool) -> String {
    var texts: [String] = []
    for cell in cells {
      let text = plain(cell.content, ranking) { kind, text in
        switch kind {
        case .best: "**\(text)**"
        case .second: "<u>\(text)</u>"
        case .plain:
          Escaped.markdown(text)
        }
      }
      texts.append(isHead && !text.isEmpty ? "*\(text)*" : text)
      texts += Array(repeating: "", count: cell.span - 1)
    }
    texts += Array(repeating: "", count: max(0, columns - texts.count))
    return "| " + texts.joined(separator: " | ") + " |"
  }

  private func plain(
    _ content: Content, _ ranking: Ranking, _ style: (Rank, String) -> String
  ) -> String {
    switch content {
    case .empty: return ""
    case .missing: return "-"
    case .text(let text): return style(.plain, text)
    case .metric(let name, let higherIsBetter):
      return style(.plain, name) + (higherIsBetter ? " ↑" : " ↓")
    case .value(let value):
      let text = value.printed.first == "-" ? "−\(value.printed.dropFirst())" : value.printed
      let rank = ranking.rank(of: value)
      let result = rank == .plain ? text : style(rank, text)
      let marks = value.marks.isEmpty ? "" : "<sup>\(value.marks)</sup>"
      return result + marks + (value.delta.map { " \($0)" } ?? "")
    }
  }

  /// One line a number: method, venue, dataset, metric, attribute, task, value, note.
  package var csv: String {
    let rows = records.map { record in
      [
        record.method, record.venue, record.dataset, record.metric, record.attribute, record.task,
        record.value.description,
        footnotes.filter { $0.first.map { record.marks.contains($0) } ?? false }
          .joined(separator: " "),
      ].map(Escaped.csv).joined(separator: ",")
    }
    return (["method,venue,dataset,metric,attribute,task,value,note"] + rows).joined(
      separator: "\n")
      + "\n"
  }

  /// A page of its own that loads nothing from the network.
  package func html(underlinesSecond: Bool = false) -> String {
    let ranking = ranking(marksSecond: underlinesSecond)
    var body = ""
    for line in lines {
      let tag: String
      let cells: [Cell]
      switch line {
      case .rule, .gap: continue
      case .header(let own): (tag, cells) = ("th", own)
      case .row(let own): (tag, cells) = ("td", own)
      }
      let texts = cells.enumerated().map { place, cell -> String in
        let text = plain(cell.content, ranking) { style, text in
          switch style {
          case .plain: Escaped.xml(text)
          case .best: "<b>\(text)</b>"
          case .second: "<u>\(text)</u>"
          }
        }
        let name = place == 0 ? "th" : tag
        let span = cell.span > 1 ? " colspan=\"\(cell.span)\"" : ""
        return "<\(name)\(span)>\(text)</\(name)>"
      }
      body += "<tr\(tag == "th" ? " class=\"h\"" : "")>\(texts.joined())</tr>\n"
    }
    let notes = footnotes.map { "<p><small>\(Escaped.xml($0))</small></p>\n" }.joined()
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(Escaped.xml(caption))</title>
      <style>
      :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
      body { max-width: 78rem; margin: 2rem auto; padding: 0 1rem; }
      div { overflow-x: auto; }
      table { border-collapse: collapse; border-block: 2px solid; }
      th, td { padding: .3rem .6rem; text-align: center; white-space: nowrap; font-weight: 400; }
      th:first-child { text-align: left; }
      tr.h th { font-weight: 600; }
      tr.h + tr:not(.h) { border-top: 1px solid; }
      </style></head><body>
      <p>\(Escaped.xml(caption))</p>
      <div><table>
      \(body)</table></div>
      \(notes)</body></html>

      """
  }
}
