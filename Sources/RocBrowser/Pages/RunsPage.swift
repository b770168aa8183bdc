import RocEvaluation
import RocMetrics
import RocNames
import RocStore

extension Browser {
  /// All runs with their metrics on the part that each covers best.
  package func runsPage(_ query: Query) throws -> Page {
    let all = try store.runs()
    let wanted = query["dataset"]
    let shown = all.filter { wanted == nil || $0.dataset.isExactly(wanted ?? "") }
    let table = try runsTable(shown.compactMap(\.run.id))
    let options = shown.map { entry -> HTML in
      let id = Int(entry.run.id ?? 0)
      return "<option value=\"\(id)\">\(Self.title(entry.run))</option>"
    }
    let compare: HTML? =
      shown.count > 1
      ? """
      <form class="filter" action="/compare" method="get">
      <label>compare<select name="a">\(options)</select></label>
      <label>with<select name="b">\(options.reversed())</select></label>
      <button type="submit">Compare</button></form>
      """ : nil
    let filter: HTML? = wanted.map {
      "<p class=\"lead\">Of \($0). <a href=\"/runs\">All runs</a></p>"
    }
    guard !shown.isEmpty else {
      return Page(
        "Runs", at: .runs,
        """
        \(filter)<p>No pictures have been scored yet. Score a split:</p>
        <pre>roc-eval --checkpoint DIR --dataset NAME --split test</pre>
        """)
    }
    return Page(
      "Runs", at: .runs, tables: [table], "\(filter)\(table.html(query))\(compare)")
  }

  static func title(_ run: RunRecord) -> String {
    let name = PathName.parts(run.checkpoint).last ?? run.checkpoint
    return "\(run.id ?? 0): \(name), \(run.precision)"
  }

  /// Those of the paper's tables; a run's own page has all of them.
  private static let columns = MetricColumn.all.filter { !["krcc", "rmse"].contains($0.name) }

  private func runsTable(_ ids: [Int64]) throws -> PageTable {
    let columns: [PageTable.Column] =
      [
        .init("run"), .init("checkpoint"), .init("dataset"), .init("part"), .init("precision"),
        .init("scored", isNumber: true),
      ] + Self.columns.map { .init($0.title, hasInterval: true) }
    let rows = try ids.map { id -> [PageTable.Cell] in
      let parts = try runParts(id)
      let view = try view(parts, nil)
      let name = PathName.parts(parts.run.checkpoint).last ?? parts.run.checkpoint
      let part = parts.parts.first
      return [
        .init("\(id)", address: "/runs/\(id)"), .init(name, address: "/runs/\(id)"),
        .init(parts.dataset.name, address: parts.dataset.address), .init(part?.name ?? ""),
        .init(parts.run.precision),
        part.map {
          .init(
            $0.scored == $0.of
              ? Shown.count($0.of) : "\(Shown.count($0.scored)) of \(Shown.count($0.of))",
            exact: "\($0.scored)")
        } ?? .count(parts.scored),
      ]
        + Self.columns.map { column in
          let metric = view?.result.metrics[column.name]
          return .measured(
            metric?.value, metric?.interval.map { (low: $0.low, high: $0.high) }, 3)
        }
    }
    return PageTable("runs", "Runs with 95 % intervals", columns, rows)
  }
}
