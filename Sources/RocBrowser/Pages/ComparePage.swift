import RocEvaluation
import RocMetrics
import RocNames
import RocScore
import RocStore

extension Browser {
  /// Two runs on the pictures that both have scored, and where they disagree most.
  ///
  /// - Parameter query: `a` and `b`, and perhaps `split`.
  /// - Returns: The page.
  /// - Throws: `NoSuchPage`, and the database's errors.
  package func comparePage(_ query: Query) throws -> Page {
    guard let a = query["a"].flatMap({ Int64($0) }), let b = query["b"].flatMap({ Int64($0) })
    else {
      throw NoSuchPage("Name two runs: /compare?a=1&b=2.")
    }
    let (first, second) = (try runParts(a), try runParts(b))
    let title = "Run \(a) and run \(b)"
    let crumbs = [Layout.Crumb("Runs", "/runs")]
    func page(_ reason: String) -> Page {
      Page(title, at: .runs, crumbs: crumbs, "<p class=\"warning\">\(reason)</p>")
    }
    guard first.dataset.id == second.dataset.id else {
      return page(
        "They are of different datasets: \(first.dataset.name) and \(second.dataset.name).")
    }
    let shared = first.parts.filter { part in
      second.parts.contains { $0.name.isExactly(part.name) }
    }
    guard let split = query["split"] ?? shared.first?.name else {
      return page("They share no part with scores.")
    }
    let patience = query["table"] == nil ? Self.patience : nil
    guard let compared = try compared(first, second, split, waiting: patience) else {
      return Page(title, at: .runs, crumbs: crumbs, Self.beingMeasured)
    }
    let pair: ComparedPair
    switch compared.pair {
    case .success(let found): pair = found
    case .failure(let error): return page(error.message)
    }
    let parts = shared.map { part -> HTML in
      let address = "/compare?a=\(a)&b=\(b)&split=\(Query.encoded(part.name))"
      return part.name.isExactly(split)
        ? "<b>\(part.name)</b>" : "<a href=\"\(address)\">\(part.name)</a>"
    }
    let differences = differencesTable(pair, a, b)
    let disagreements = disagreementsTable(compared.lines, a, b)
    return Page(
      title, at: .runs, crumbs: crumbs, tables: [differences, disagreements.table],
      """
      \(madeUp(first.dataset))
      <p class="lead">\(Self.title(first.run)) and \(Self.title(second.run)) on \(split), \
      \(Shown.count(pair.comparison.count)) pictures that both have scored. \(pair.left > 0 ? "\(pair.left) are left out." : "")</p>
      <div class="links"><span>Parts:</span>\(parts)</div>
      \(compared.variations.map { text -> HTML in "<p class=\"warning\">\(text)</p>" })
      \(differences.html(query))
      <h2>Largest disagreements</h2>
      <ul class="gallery">\(disagreements.items)</ul>
      \(disagreements.table.html(query))
      """)
  }

  private func differencesTable(_ pair: ComparedPair, _ a: Int64, _ b: Int64) -> PageTable {
    let rows = pair.comparison.differences.map { item -> [PageTable.Cell] in
      [
        .init(item.name), .number(item.first, 4), .number(item.second, 4),
        .measured(item.difference, item.interval.map { (low: $0.low, high: $0.high) }, 4),
        .chance(item.test?.p ?? item.bootstrap), .init(item.test?.name ?? "resampling"),
      ]
    }
    return PageTable(
      "differences", "Run \(a) and run \(b)",
      [
        .init("metric"), .init("run \(a)", isNumber: true), .init("run \(b)", isNumber: true),
        .init("difference", hasInterval: true), .init("p", isNumber: true), .init("test"),
      ], rows)
  }

  private func disagreementsTable(
    _ lines: [ComparedView.Line], _ a: Int64, _ b: Int64
  ) -> (table: PageTable, items: [HTML]) {
    let rows = lines.map { line -> [PageTable.Cell] in
      [
        .init(line.sample.key.text, address: "/pictures/\(line.sample.id)"),
        .number(line.sample.score, 3), .number(line.first, 3), .number(line.second, 3),
        .number(line.difference, 3),
      ]
    }
    let items = lines.prefix(24).map { line -> HTML in
      """
      <li><a href="/pictures/\(Int(line.sample.id))"><img loading="lazy" \
      alt="\(line.sample.key.text)" src="/pictures/\(Int(line.sample.id))/thumbnail">\
      <div class="caption"><b>\(Shown.score(line.first))</b><span>and \(Shown.score(line.second)) for \
      \(Shown.score(line.sample.score))</span></div></a></li>
      """
    }
    let table = PageTable(
      "disagreements", "Largest disagreements of run \(a) and run \(b)",
      [
        .init("picture", isLong: true), .init("gt_score", isNumber: true),
        .init("run \(a)", isNumber: true),
        .init("run \(b)", isNumber: true), .init("difference", isNumber: true),
      ], rows)
    return (table, items)
  }
}
