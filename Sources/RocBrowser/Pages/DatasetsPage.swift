import RocNames
import RocScore
import RocStore

extension Browser {
  /// All datasets.
  package func datasetsPage() throws -> Page {
    let datasets = try store.datasetRecords()
    guard !datasets.isEmpty else {
      return Page(
        "Datasets", at: .datasets,
        """
        <p>This database holds no dataset yet. Import one:</p>
        <pre>roc-data import ava --source AVA_FOLDER --images PICTURES</pre>
        """)
    }
    let cards = try datasets.map { dataset -> HTML in
      let index = try index(of: dataset)
      let parts = index.parts.filter { $0.name.scheme.isExactly(dataset.defaultScheme) }
        .map { "\($0.name.part) \(Shown.count($0.places.count))" }.joined(separator: ", ")
      return """
        <li class="card"><h2><a href="\(dataset.address)">\(dataset.title)</a></h2>
        <p>\(Shown.count(index.count)) pictures, scores \(dataset.range.words)</p>
        <p>\(parts.isEmpty ? "no splits" : parts)</p>
        <p><a href="\(dataset.address)/pictures">Gallery</a></p></li>
        """
    }
    return Page("Datasets", at: .datasets, "<ul class=\"cards\">\(cards)</ul>")
  }

  /// Lines of label files that an import set aside, with where and why.
  package func setAsidePage(_ name: String) throws -> Page {
    let dataset = try dataset(name)
    let lines = try store.quarantine(of: dataset)
    let most = 2000
    let rows = lines.prefix(most).map { line -> HTML in
      """
      <tr><td class="break">\(line.file)</td><td class="n">\(line.line)</td>\
      <td class="break">\(line.reason)</td><td class="break"><code>\(line.content)</code></td></tr>
      """
    }
    let rest: HTML =
      lines.count > most
      ? "<p>The first \(Shown.count(most)); <a href=\"\(dataset.address)/set-aside.csv\">all as CSV</a>.</p>"
      : "<p><a href=\"\(dataset.address)/set-aside.csv\">Download as CSV</a></p>"
    return Page(
      "Set aside", at: .datasets, crumbs: [.init(dataset.title, dataset.address)],
      """
      <p class="lead">\(Shown.count(lines.count, "line", "lines")) of label files that were not imported.</p>
      \(rest)
      <div class="scroll"><table><thead><tr><th>file</th><th class="n">line</th><th>reason</th>\
      <th>content</th></tr></thead><tbody>\(rows)</tbody></table></div>
      """)
  }

  /// The same as a file.
  package func setAsideCSV(_ name: String) throws -> String {
    let rows = try store.quarantine(of: try dataset(name)).map { line in
      [line.file, "\(line.line)", line.reason, line.content].map(Escaped.csv)
        .joined(separator: ",")
    }
    return (["file,line,reason,content"] + rows).joined(separator: "\n") + "\n"
  }
}
