import RocData
import RocJSON
import RocNames
import RocScore
import RocStore

extension Browser {
  /// One picture with everything that is known about it.
  ///
  /// - Parameters:
  ///   - id: Its row.
  ///   - query: Of the gallery that it was opened from.
  /// - Returns: The page.
  /// - Throws: `NoSuchPage`, and the database's errors.
  package func samplePage(_ id: Int64, _ query: Query) throws -> Page {
    guard let details = try store.details(sample: id) else {
      throw NoSuchPage("There is no picture \(id).")
    }
    let (sample, dataset) = (details.sample, details.dataset)
    let index = try index(of: dataset)
    let gallery = "\(dataset.address)/pictures\(query.text)"
    let isShown = sample.imageState == .found || sample.imageState == .readable
    let picture: HTML =
      isShown
      ? """
      <a href="/pictures/\(Int(id))/file"><img class="large" alt="\(sample.key.text)" \
      src="/pictures/\(Int(id))/file"></a>
      """
      : "<p class=\"warning\">\(sample.imageReason ?? Self.title(sample.imageState))</p>"
    let ratings = ratings(details)
    return Page(
      sample.key.text, at: .datasets,
      crumbs: [.init(dataset.title, dataset.address), .init("Gallery", gallery)],
      tables: ratings.map { [$0] } ?? [],
      """
      \(madeUp(dataset))
      \(try pager(id, index, query))
      <div class="sample"><div>\(picture)\(lookAlikes(id, index))\(comments(details))</div>
      <div>\(scores(details))<h2>Facts</h2><dl>\(facts(details))</dl>\
      \(ratings.map { "<h2>Ratings</h2>\($0.html(query))" as HTML })</div></div>
      """)
  }

  /// Ways to the pictures before and after it, in the order of the gallery.
  private func pager(_ id: Int64, _ index: DatasetIndex, _ query: Query) throws -> HTML? {
    guard let place = index.place(of: id).map(Int32.init) else { return nil }
    let order = try index.result(GalleryQuery(query))
    guard let position = order.firstIndex(of: place) else { return nil }
    func link(_ position: Int, _ rel: String, _ title: String) -> HTML {
      guard order.indices.contains(position) else { return "<span></span>" }
      let other = Int(index.ids[Int(order[position])])
      return "<a rel=\"\(rel)\" href=\"/pictures/\(other)\(query.text)\">\(title)</a>"
    }
    return """
      <nav class="pager" aria-label="Neighbours">\(link(position - 1, "prev", "← previous"))\
      <span>\(Shown.count(position + 1)) of \(Shown.count(order.count))</span>\
      \(link(position + 1, "next", "next →"))</nav>
      """
  }

  /// Pictures that show the same, once they have been looked for.
  private func lookAlikes(_ id: Int64, _ index: DatasetIndex) -> HTML? {
    guard let known = knownAudits(index) else { return nil }
    let others = known.lookAlikes.others(like: id)
    guard !others.isEmpty else { return nil }
    return """
      <h2>Pictures that look like it</h2>
      <ul class="gallery">\(others.prefix(12).map { thumbnail($0, index) })</ul>
      """
  }

  private func scores(_ details: SampleDetails) -> HTML {
    let (sample, dataset) = (details.sample, details.dataset)
    let votes = sample.votes.flatMap { VoteHistogram(counts: $0).distribution }
    let count = sample.votes?.reduce(0, +) ?? 0
    let truth: HTML = """
      <p><b>gt_score \(Shown.score(sample.score))</b>\
      \(count > 0 ? ", \(Shown.count(count)) votes" : "")</p>
      """
    guard !details.answers.isEmpty else {
      return "\(truth)\(votes.flatMap { bars(dataset, votes: $0, predicted: nil, range: nil) })"
    }
    let answers = details.answers.map { answer -> HTML in
      let (run, prediction) = (answer.run, answer.prediction)
      let name = PathName.parts(run.checkpoint).last ?? run.checkpoint
      let number = Int(run.id ?? 0)
      let head: HTML =
        "<h2><a href=\"/runs/\(number)\">Run \(number)</a> · \(name), \(run.precision)</h2>"
      if let code = prediction.errorCode {
        return "\(head)<p class=\"bad\">\(code): \(prediction.errorMessage ?? "")</p>"
      }
      let mapped = prediction.scores.first.map { run.range.map($0, to: dataset.range) }
      let error = mapped.map { $0 - sample.score }
      let sign = (error ?? 0) > 0 ? "+" : ""
      let quote: HTML? = prediction.text.map { "<blockquote>\($0)</blockquote>" }
      return """
        \(head)<p><b>\(Shown.score(mapped))</b> (\(sign)\(Shown.score(error)))</p>
        \(bars(dataset, votes: votes, predicted: prediction.distributions.first, range: run))
        \(quote)
        """
    }
    return """
      \(truth)<p><span class="key">votes</span><span class="key predicted">predicted</span></p>\(answers)
      """
  }

  /// Votes and a prediction side by side where both stand for the same bins.
  private func bars(
    _ dataset: DatasetRecord, votes: [Double]?, predicted: [Double]?, range run: RunRecord?
  ) -> HTML? {
    let bins = dataset.bins.map { bins in
      (0..<bins.count).map { bins.first + Double($0) * bins.step }
    }
    let tokens = run.map { run in
      (0..<run.tokens).map {
        run.range.low + (run.range.high - run.range.low) * Double($0)
          / Double(max(run.tokens - 1, 1))
      }
    }
    if let bins, let tokens, let predicted, bins == tokens {
      return VoteBars.figure(scores: bins, votes: votes, predicted: predicted)
    }
    let own: HTML? = bins.flatMap { bins in
      votes.map { VoteBars.figure(scores: bins, votes: $0, predicted: nil) }
    }
    let other: HTML? = tokens.flatMap { tokens in
      predicted.map { VoteBars.figure(scores: tokens, votes: nil, predicted: $0) }
    }
    return "\(own)\(other)"
  }

  private func facts(_ details: SampleDetails) -> [HTML] {
    let sample = details.sample
    var facts: [(String, String)] = []
    if let width = details.width, let height = details.height {
      facts.append(("size", "\(width) × \(height)\(details.format.map { ", \($0)" } ?? "")"))
    }
    if !sample.imageFlags.isEmpty {
      facts.append(("odd", sample.imageFlags.joined(separator: ", ")))
    }
    if !details.splits.isEmpty {
      facts.append(("splits", details.splits.map(\.description).joined(separator: ", ")))
    }
    for (name, value) in details.attributes { facts.append((name, Shown.number(value, 4))) }
    let tags = details.vocabularies["tag"] ?? [:]
    for member in (details.extra.flatMap { try? JSON.parse($0) })?.members ?? [] {
      let tag = member.name.hasPrefix("tag") ? member.value.int.flatMap { tags[$0] } : nil
      facts.append((member.name, tag ?? member.value.string ?? member.value.line))
    }
    if let hash = details.sha256 { facts.append(("sha256", hash)) }
    return facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }
  }

  private func ratings(_ details: SampleDetails) -> PageTable? {
    guard !details.ratings.isEmpty else { return nil }
    return PageTable(
      "ratings", "Ratings of \(details.sample.key.text)",
      [.init("rater"), .init("score", isNumber: true)],
      details.ratings.map { rater, score in [.init(rater), .number(score, 2)] })
  }

  private func comments(_ details: SampleDetails) -> HTML? {
    guard !details.comments.isEmpty else { return nil }
    let quotes = details.comments.map { comment -> HTML in
      "<blockquote>\(comment.text)</blockquote>"
    }
    let count = details.commentCount
    let note = count > quotes.count ? "The first \(quotes.count) of \(Shown.count(count))" : ""
    return "<h2>Comments</h2><p class=\"lead\">\(note)</p>\(quotes)"
  }
}
