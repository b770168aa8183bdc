import RocEvaluation
import RocMetrics
import RocNames
import RocStore

extension Browser {
  /// All runs with their metrics on the part that each covers best.
  package func runsPage(_ query: Query) throws -> Page {
    let wanted = query["dataset"]
    let dataset = try wanted.map { try self.dataset($0).id }
    let shown = try store.runRecords().filter { dataset == nil || $0.dataset == dataset }
    let (table, isWhole) = try runsTable(
      shown.compactMap(\.id), waiting: query["table"] == nil ? Self.patience : nil)
    let options = shown.map { run -> HTML in
      "<option value=\"\(Int(run.id ?? 0))\">\(Self.title(run))</option>"
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
      "Runs", at: .runs, tables: [table],
      "\(filter)\(isWhole ? nil : Self.beingMeasured)\(table.html(query))\(compare)")
  }

  static func title(_ run: RunRecord) -> String {
    let name = PathName.parts(run.checkpoint).last ?? run.checkpoint
    return "\(run.id ?? 0): \(name), \(run.precision)"
  }

  /// Those of the paper's tables; a run's own page has all of them.
  private static let columns = MetricColumn.all.filter { !["krcc", "rmse"].contains($0.name) }

  /// - Returns: The table, and whether all metrics are in it.
  private func runsTable(
    _ ids: [Int64], waiting seconds: Double?
  ) throws -> (table: PageTable, isWhole: Bool) {
    let end = ContinuousClock.now + .seconds(seconds ?? 0)
    var isWhole = true
    let columns: [PageTable.Column] =
      [
        .init("run"), .init("checkpoint"), .init("dataset"), .init("part"), .init("precision"),
        .init("scored", isNumber: true),
      ] + Self.columns.map { .init($0.title, hasInterval: true) }
    let rows = try ids.map { id -> [PageTable.Cell] in
      let parts = try runParts(id)
      let rest = (end - ContinuousClock.now) / .seconds(1)
      let found = try summary(parts, waiting: seconds.map { _ in max(rest, 0) })
      if case .notYet = found { isWhole = false }
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
          guard case .found(let metrics) = found else { return "" }
          let metric = metrics[column.name]
          return .measured(
            metric?.value, metric?.interval.map { (low: $0.low, high: $0.high) }, 3)
        }
    }
    return (PageTable("runs", "Runs with 95 % intervals", columns, rows), isWhole)
  }
}
