import RocData
import RocNames
import RocReport
import RocScore
import RocStore

extension Browser {
  /// One dataset: what it is, its splits, and what is wrong with it.
  package func datasetPage(_ name: String, _ query: Query) throws -> Page {
    let dataset = try dataset(name)
    let index = try index(of: dataset)
    let manifest = try? Manifest(yaml: dataset.manifest, path: dataset.name)
    let gallery = "\(dataset.address)/pictures"
    let splits = splits(index, gallery)
    let states = states(index, gallery)
    return Page(
      dataset.title, at: .datasets, tables: [splits, states],
      """
      \(madeUp(dataset))
      <div class="links"><a href="\(gallery)">Gallery</a>\
      <a href="\(dataset.address)/leaks">Leaks between parts\(leaks(index))</a>\
      <a href="\(dataset.address)/look-alikes">Pictures that look alike</a>\
      <a href="/runs?dataset=\(Query.encoded(dataset.name))">Runs</a>\
      <a href="\(dataset.address)/set-aside">Lines set aside (\(Shown.count(index.setAside)))</a></div>
      <dl>\(facts(dataset, manifest, index))</dl>
      <h2>Scores and votes</h2>
      <p><img class="figure" src="\(dataset.address)/scores.svg" alt="Histograms of scores and votes"></p>
      <p class="downloads"><a href="\(dataset.address)/scores.svg">SVG</a></p>
      <h2>Pictures</h2>
      \(states.html(query))
      <h2>Splits</h2>
      \(splits.html(query))
      \(themes(index, gallery))
      \(attributes(index, gallery))
      \(defects(manifest))
      """)
  }

  /// How many, once they have been looked for.
  private func leaks(_ index: DatasetIndex) -> String {
    knownAudits(index).map { " (\(Shown.count($0.leaks.leaks.count)))" } ?? ""
  }

  /// The histograms of all pictures and of the parts of the default scheme.
  package func datasetFigure(_ name: String) throws -> String {
    let dataset = try dataset(name)
    let index = try index(of: dataset)
    let store = store
    let figure = try histograms.value(index.dataset.id ?? 0, version: index.version, waiting: nil) {
      var parts = [(title: "all", samples: try store.samples(dataset).samples)]
      for (split, _) in index.parts where split.scheme.isExactly(dataset.defaultScheme) {
        let title = split.description
        parts.append((title, try store.samples(dataset, split: title).samples))
      }
      return StatisticsPlot.plot(dataset, parts).svg
    }
    return figure ?? ""
  }

  func madeUp(_ dataset: DatasetRecord) -> HTML? {
    dataset.isMadeUp
      ? "<p class=\"warning\">Pictures and votes are made up by roc-data demo.</p>" : nil
  }

  private func facts(
    _ dataset: DatasetRecord, _ manifest: Manifest?, _ index: DatasetIndex
  ) -> [HTML] {
    var facts: [(String, String)] = [("name", dataset.name)]
    if let manifest {
      facts.append(("source", manifest.source))
      facts.append(("licence", manifest.licence))
    }
    if let variant = dataset.variant { facts.append(("copy", variant)) }
    facts.append(("pictures", Shown.count(index.count)))
    facts.append(
      (
        "scale",
        "\(dataset.range.words), \(dataset.higherIsBetter ? "higher" : "lower") is better"
      ))
    if let summary = ScoreSummary(index.scores) {
      facts.append(
        (
          "scores",
          """
          mean \(Shown.score(summary.mean)), standard deviation \(Shown.score(summary.deviation)), \
          from \(Shown.score(summary.least)) to \(Shown.score(summary.largest))
          """
        ))
    }
    return facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }
  }

  private func states(_ index: DatasetIndex, _ gallery: String) -> PageTable {
    let titles: [(GalleryQuery.State, String)] = [
      (.present, "file found"), (.missing, "missing"), (.unreadable, "unreadable"),
      (.unknown, "nobody has looked for the file"), (.odd, "readable, but odd"),
    ]
    let rows = titles.compactMap { state, title -> [PageTable.Cell]? in
      var query = GalleryQuery()
      query.state = state
      let count = (try? index.result(query).count) ?? 0
      guard count > 0 else { return nil }
      return [.init(title, address: "\(gallery)?state=\(state.rawValue)"), .count(count)]
    }
    return PageTable(
      "files", "Files of \(index.dataset.title)",
      [.init("file"), .init("pictures", isNumber: true)], rows)
  }

  private func splits(_ index: DatasetIndex, _ gallery: String) -> PageTable {
    let rows = index.parts.map { name, places -> [PageTable.Cell] in
      let summary = ScoreSummary(places.map { index.scores[Int($0)] })
      let isDefault = name.scheme.isExactly(index.dataset.defaultScheme)
      return [
        .init(
          name.description, address: "\(gallery)?split=\(Query.encoded(name.description))"),
        isDefault ? "default" : "", .count(places.count), .number(summary?.mean, 3),
        .number(summary?.deviation, 3),
      ]
    }
    return PageTable(
      "splits", "Splits of \(index.dataset.title)",
      [
        .init("part"), .init("scheme"), .init("pictures", isNumber: true),
        .init("mean", isNumber: true), .init("standard deviation", isNumber: true),
      ], rows)
  }

  private func themes(_ index: DatasetIndex, _ gallery: String) -> HTML? {
    guard !index.themes.isEmpty else { return nil }
    let links = index.themes.prefix(80).map { name, places -> HTML in
      """
      <a href="\(gallery)?theme=\(Query.encoded(name))">\(name) (\(Shown.count(places.count)))</a>
      """
    }
    return "<h2>Themes</h2><div class=\"links\">\(links)</div>"
  }

  private func attributes(_ index: DatasetIndex, _ gallery: String) -> HTML? {
    guard !index.attributeNames.isEmpty else { return nil }
    let links = index.attributeNames.prefix(60).map { name -> HTML in
      "<a href=\"\(gallery)?sort=\(Query.encoded("-attribute:\(name)"))\">\(name)</a>"
    }
    return "<h2>Attributes</h2><div class=\"links\">\(links)</div>"
  }

  private func defects(_ manifest: Manifest?) -> HTML? {
    guard let defects = manifest?.defects, !defects.isEmpty else { return nil }
    let items = defects.map { text -> HTML in "<li>\(text)</li>" }
    return "<h2>Known defects</h2><ul>\(items)</ul>"
  }
}
