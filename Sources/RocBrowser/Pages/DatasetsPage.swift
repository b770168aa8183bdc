import RocData
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
        <p>\(trouble(index))</p>
        <p><a href="\(dataset.address)/pictures">Gallery</a></p></li>
        """
    }
    return Page("Datasets", at: .datasets, "<ul class=\"cards\">\(cards)</ul>")
  }

  /// What is missing, broken, set aside or shared between parts, on one line.
  private func trouble(_ index: DatasetIndex) -> String {
    let missing = index.states.count { $0 == .missing }
    let broken = index.states.count { $0 == .unreadable }
    let unknown = index.states.count { $0 == .unknown }
    var parts: [String] = []
    if missing > 0 { parts.append("\(Shown.count(missing)) missing") }
    if broken > 0 { parts.append("\(Shown.count(broken)) unreadable") }
    if unknown > 0 { parts.append("\(Shown.count(unknown)) not looked for") }
    if index.setAside > 0 {
      parts.append("\(Shown.count(index.setAside, "line", "lines")) set aside")
    }
    if let leaks = knownAudits(index)?.leaks.leaks.count, leaks > 0 {
      parts.append(Shown.count(leaks, "leak between parts", "leaks between parts"))
    }
    return parts.isEmpty
      ? "no file is known to be missing or broken" : parts.joined(separator: ", ")
  }

  /// Lines of label files that an import set aside, with where and why.
  ///
  /// - Parameters:
  ///   - name: The dataset's.
  ///   - query: Of the address.
  /// - Returns: The page; files have all lines.
  /// - Throws: `NoSuchPage`, and the database's errors.
  package func setAsidePage(_ name: String, _ query: Query) throws -> Page {
    let dataset = try dataset(name)
    let lines = try store.quarantine(of: dataset)
    func table(_ lines: some Collection<SetAsideLine>) -> PageTable {
      PageTable(
        "set-aside", "Lines of \(dataset.title) that were set aside",
        [
          .init("file", isLong: true), .init("line", isNumber: true),
          .init("reason", isLong: true), .init("content", isLong: true),
        ],
        lines.map {
          [.init($0.file), .init("\($0.line)"), .init($0.reason), .init($0.content)]
        })
    }
    let most = 2000
    let rest: HTML? =
      lines.count > most ? "<p>The first \(Shown.count(most)); files have all.</p>" : nil
    return Page(
      "Set aside", at: .datasets, crumbs: [.init(dataset.title, dataset.address)],
      tables: [table(lines)],
      """
      <p class="lead">\(Shown.count(lines.count, "line", "lines")) of label files that were not imported.</p>
      \(rest)\(table(lines.prefix(most)).html(query))
      """)
  }
}
