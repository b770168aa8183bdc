import RocEvaluation
import RocFiles
import RocJSON
import RocMetrics
import RocNames
package import RocReport
import RocScore
import RocStore

extension Browser {
  /// One run: metrics, figures, worst misses, and what the numbers depend on.
  ///
  /// - Parameters:
  ///   - id: Its number.
  ///   - query: With `split`, another part than the one that it covers best.
  /// - Returns: The page.
  /// - Throws: `NoSuchPage`, and the database's errors.
  package func runPage(_ id: Int64, _ query: Query) throws -> Page {
    let parts = try runParts(id)
    let crumbs = [Layout.Crumb("Runs", "/runs")]
    let title = "Run \(Self.title(parts.run))"
    // Files are asked for by programs, which do not come again.
    let patience = query["table"] == nil ? Self.patience : nil
    let view: RunView
    switch try self.view(parts, query["split"], waiting: patience) {
    case .found(let found): view = found
    case .nothing:
      return Page(
        title, at: .runs, crumbs: crumbs,
        "\(status(id))<p>No picture of a part has a score yet.</p>")
    case .notYet:
      return Page(title, at: .runs, crumbs: crumbs, "\(status(id))\(Self.beingMeasured)")
    }
    let stored = view.stored
    let split = stored.split.description
    let metrics = metricsTable(view)
    let names = parts.parts.map { part -> HTML in
      part.name.isExactly(split)
        ? "<b>\(part.name)</b>"
        : "<a href=\"/runs/\(Int(id))?split=\(Query.encoded(part.name))\">\(part.name)</a>"
    }
    let own = "?split=\(Query.encoded(split))"
    return Page(
      title, at: .runs, crumbs: crumbs, tables: [metrics],
      """
      \(madeUp(stored.dataset))\(warnings(stored))
      <p class="lead">\(view.result.caption)</p>
      \(status(id))
      <div class="links"><span>Parts:</span>\(names)</div>
      <h2>Metrics</h2>
      \(metrics.html(query))
      <h2>Figures</h2>
      <div class="figures">\(figures(view, id, own))</div>
      \(training(parts.run))
      <h2>Worst misses</h2>
      <ul class="gallery">\(view.worst.map { miss($0) })</ul>
      <h2>What the numbers depend on</h2>
      <dl>\(facts(view))</dl>
      <p><a href="/runs/\(Int(id))/predictions.csv\(own)">Predictions as CSV</a></p>
      """)
  }

  /// The page comes again by itself until there is something to show.
  static let beingMeasured: HTML = """
    <p class="warning" data-waits>Metrics and their intervals are being found. This takes some seconds \
    for hundreds of thousands of pictures; the page comes again by itself.</p>
    """

  private func warnings(_ stored: StoredRun) -> [HTML] {
    var texts = stored.seen.map { "\($0.text)." }
    if stored.isIncomplete {
      texts.append(
        """
        \(Shown.count(stored.lines.count)) of the \(Shown.count(stored.expected)) pictures have a \
        score; the numbers are over those.
        """)
    }
    return texts.map { "<p class=\"warning\">\($0)</p>" }
  }

  /// Whether somebody is working on the run; a script keeps it up to date.
  private func status(_ id: Int64) -> HTML? {
    guard (try? store.isBeingScored(run: id)) == true, let progress = try? store.progress(run: id)
    else { return nil }
    return """
      <p class="warning" data-progress="/runs/\(Int(id))/events">This run is being scored: \
      \(Shown.count(progress.scored)) pictures so far.</p>
      """
  }

  private func metricsTable(_ view: RunView) -> PageTable {
    let rows = view.result.metrics.all.map { metric -> [PageTable.Cell] in
      [
        .init(metric.name),
        .measured(metric.value, metric.interval.map { (low: $0.low, high: $0.high) }, 4),
        .init(metric.value == nil ? metric.reason ?? "" : MetricText.definition(metric.name)),
      ]
    }
    return PageTable(
      "metrics", view.result.caption,
      [
        .init("metric"), .init("value", hasInterval: true),
        .init("definition", isLong: true),
      ], rows)
  }

  private func figures(_ view: RunView, _ id: Int64, _ own: String) -> [HTML] {
    view.figures.map { figure in
      let address = "/runs/\(Int(id))/figures/\(figure.name)"
      // Points that can be opened are drawn by the script over the same figure.
      let points: HTML? =
        figure.name == "scatter" ? " data-points=\"/runs/\(Int(id))/points.json\(own)\"" : nil
      return """
        <figure\(points)><figcaption><b>\(figure.title)</b></figcaption>
        <img loading="lazy" alt="\(figure.title)" src="\(address).svg\(own)">
        <figcaption>\(figure.note)<br><a href="\(address).svg\(own)">SVG</a>
        <a href="\(address).tex\(own)">PGFPlots</a></figcaption></figure>
        """
    }
  }

  private func miss(_ line: StoredRun.Line) -> HTML {
    let score = line.scores.first
    let sample = line.sample
    return """
      <li><a href="/pictures/\(Int(sample.id))"><img loading="lazy" alt="\(sample.key.text)" \
      src="/pictures/\(Int(sample.id))/thumbnail"><div class="caption"><b>\(Shown.score(score))</b>\
      <span>for \(Shown.score(sample.score))</span></div></a></li>
      """
  }

  /// The curves of the training that made the checkpoint, where they lie beside it.
  private func training(_ run: RunRecord) -> HTML? {
    let curves = TrainingFigure.all.filter { fileExists("\(run.checkpoint)/\($0.rawValue).svg") }
    guard !curves.isEmpty else { return nil }
    let figures = curves.map { curve -> HTML in
      let address = "/runs/\(Int(run.id ?? 0))/training/\(curve.rawValue).svg"
      return """
        <figure><figcaption><b>\(curve.title)</b></figcaption>
        <img loading="lazy" alt="\(curve.title)" src="\(address)">
        <figcaption><a href="\(address)">SVG</a></figcaption></figure>
        """
    }
    return "<h2>Training</h2><div class=\"figures\">\(figures)</div>"
  }

  private func facts(_ view: RunView) -> [HTML] {
    let stored = view.stored
    let run = stored.run
    var facts = [
      ("dataset", stored.dataset.title),
      ("split", "\(stored.split), \(stored.expected) pictures, SHA-256 \(stored.splitSHA256)"),
      ("scored, failed", "\(stored.lines.count), \(stored.failures.count)"),
      ("scale map", stored.scale),
      ("threshold", "score > \(ScoreRange.short(stored.dataset.threshold)) on both sides"),
      ("checkpoint", "\(run.checkpoint), SHA-256 \(run.checkpointSHA256)"),
      ("question", run.question), ("precision", run.precision), ("engine", "roc \(run.engine)"),
    ]
    if let name = run.backbone { facts.append(("network", name)) }
    if stored.seconds > 0 {
      facts.append(
        ("seconds a picture", Shown.number(stored.seconds / Double(max(stored.lines.count, 1)), 3)))
    }
    return facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }
  }
}

/// What is drawn of a run beside its page.
extension Browser {
  /// A run's results, however long they take; nil without scores.
  private func wholeView(_ id: Int64, _ query: Query) throws -> RunView? {
    guard case .found(let view) = try view(try runParts(id), query["split"], waiting: nil) else {
      return nil
    }
    return view
  }

  /// A figure of a run's page.
  ///
  /// - Parameters:
  ///   - id: The run's number.
  ///   - name: The figure's.
  ///   - query: With `split`.
  /// - Returns: Both of its forms.
  /// - Throws: `NoSuchPage`, and the database's errors.
  package func figure(_ id: Int64, _ name: String, _ query: Query) throws -> Figure {
    guard let figure = try wholeView(id, query)?.figures.first(where: { $0.name == name }) else {
      throw NoSuchPage("Run \(id) has no figure \(name).")
    }
    return figure
  }

  /// The points of the scatter plot: for each picture its row, ground truth and prediction.
  package func points(_ id: Int64, _ query: Query) throws -> String {
    guard let view = try wholeView(id, query) else { return "{\"points\": []}" }
    let rows = view.stored.lines.compactMap { line -> JSON? in
      line.scores.first.map {
        [.int(Int(line.sample.id)), .double(line.sample.score), .double($0)]
      }
    }
    let range = view.stored.dataset.range
    let object: JSON = [
      "low": .double(range.low), "high": .double(range.high), "points": .array(rows),
    ]
    return object.line
  }

  /// Scores beside ground truth as `roc-eval --csv` writes them.
  package func predictionsCSV(_ id: Int64, _ query: Query) throws -> String {
    guard let view = try wholeView(id, query) else {
      throw NoSuchPage("Run \(id) has no scores.")
    }
    return view.result.csv
  }

  /// A curve that the training left beside a run's checkpoint.
  package func trainingFigure(_ id: Int64, _ name: String) throws -> [UInt8] {
    guard let curve = TrainingFigure(rawValue: name),
      let run = try store.runRecords().first(where: { $0.id == id }),
      let file = try? MappedFile(path: "\(run.checkpoint)/\(curve.rawValue).svg")
    else { throw NoSuchPage("Run \(id) has no curve \(name).") }
    return file.withBytes { Array($0) }
  }

  /// How far a run is, as a line of server-sent events.
  ///
  /// - Returns: The line, and whether somebody is still working.
  package func progressEvent(_ id: Int64) throws -> (text: String, isLive: Bool) {
    let progress = try store.progress(run: id)
    var members: [JSON.Member] = [
      .init("scored", .int(progress.scored)), .init("failed", .int(progress.failed)),
      .init("held", .int(progress.held)), .init("pace", .double(progress.pace)),
    ]
    // A run does not say which part it is asked for: it is the one that is nearly done.
    let parts = try runParts(id)
    if let part = parts.parts.first(where: { $0.scored < $0.of }) {
      let done = min(part.scored + max(progress.scored - parts.scored, 0), part.of)
      members.append(.init("part", .string(part.name)))
      members.append(.init("part_scored", .int(done)))
      members.append(.init("part_pictures", .int(part.of)))
      if progress.pace > 0 {
        members.append(.init("seconds_left", .double(Double(part.of - done) / progress.pace)))
      }
    }
    return ("data: \(JSON.object(members).line)\n\n", progress.held > 0)
  }
}

/// The figures that a training leaves in its folder.
enum TrainingFigure: String, CaseIterable {
  case losses
  case heldout

  static var all: [TrainingFigure] { allCases }

  var title: String {
    switch self {
    case .losses: "Losses"
    case .heldout: "Held-out SRCC"
    }
  }
}
