import RocNames
import RocScore
import RocStore

extension Browser {
  /// Pictures that are added at a time.
  static let gallerySize = 60

  /// Pictures of a dataset, sorted and filtered.
  ///
  /// - Parameters:
  ///   - name: The dataset's.
  ///   - query: Of the address.
  /// - Returns: The page; from `from` on, the pictures that follow.
  /// - Throws: `NoSuchPage`, and the database's errors.
  package func galleryPage(_ name: String, _ query: Query) throws -> Page {
    let dataset = try dataset(name)
    let index = try index(of: dataset)
    let asked = index.understood(GalleryQuery(query))
    let places = try index.result(asked)
    let from = min(max(query["from"].flatMap(Int.init) ?? 0, 0), places.count)
    let shown = places[from..<min(from + Self.gallerySize, places.count)]
    let items = try shown.map { try item(Int($0), index, asked, query) }
    let next = from + shown.count
    let address = "\(dataset.address)/pictures"
    let more: HTML? =
      next < places.count
      ? """
      <p class="more"><a rel="next" href="\(address)\(query.with("from", "\(next)").text)">\
      More pictures</a></p>
      """ : nil
    let count =
      asked.isEverything
      ? Shown.count(places.count, "picture", "pictures")
      : "\(Shown.count(places.count)) of \(Shown.count(index.count)) pictures"
    return Page(
      "Gallery", at: .datasets, crumbs: [.init(dataset.title, dataset.address)],
      """
      \(madeUp(dataset))
      \(filter(index, asked, address))
      <p class="lead">\(count) · <a href="\(address).csv\(query.with("from", nil).text)">CSV</a></p>
      <ul class="gallery" data-grows>\(items)</ul>
      \(more)
      """)
  }

  private func item(
    _ place: Int, _ index: DatasetIndex, _ asked: GalleryQuery, _ query: Query
  ) throws -> HTML {
    let id = index.ids[place]
    let note: String
    switch asked.sort.key {
    case .spread: note = "±\(Shown.number(Double(index.spreads[place]), 2))"
    case .attribute(let name): note = Shown.number(try index.attribute(name.text)[place], 3)
    default: note = index.keys[place].base
    }
    let isShown = index.states[place] == .found || index.states[place] == .readable
    let picture: HTML =
      isShown
      ? "<img loading=\"lazy\" alt=\"\(index.keys[place].text)\" src=\"/pictures/\(Int(id))/thumbnail\">"
      : "<div class=\"none\">\(Self.title(index.states[place]))</div>"
    return """
      <li><a href="/pictures/\(Int(id))\(query.with("from", nil).text)">\(picture)\
      <div class="caption"><b>\(Shown.score(index.scores[place]))</b>\
      <span>\(note)</span></div></a></li>
      """
  }

  static func title(_ state: ImageState) -> String {
    switch state {
    case .missing: "missing"
    case .unreadable: "unreadable"
    case .unknown: "not looked for"
    case .found, .readable: ""
    }
  }

  private func filter(
    _ index: DatasetIndex, _ asked: GalleryQuery, _ address: String
  ) -> HTML {
    func options(_ list: [(value: String, title: String)], _ chosen: String?) -> [HTML] {
      list.map { value, title in
        let mark: HTML = value.isExactly(chosen ?? "") ? " selected" : ""
        return "<option value=\"\(value)\"\(mark)>\(title)</option>"
      }
    }
    var sorts = [
      ("imported", "order of import"), ("-score", "best first"), ("score", "worst first"),
      ("-spread", "voters disagree most"), ("spread", "voters agree most"), ("name", "name"),
    ]
    if !index.spreads.contains(where: { !$0.isNaN }) {
      sorts.removeAll { $0.0.hasSuffix("spread") }
    }
    if !index.dataset.higherIsBetter {
      sorts = sorts.map { value, title in
        (value, value == "score" ? "best first" : value == "-score" ? "worst first" : title)
      }
    }
    for name in index.attributeNames.prefix(60) {
      sorts.append(("-attribute:\(name)", "most \(name)"))
    }
    let splits = [("", "all")] + index.parts.map { ($0.name.description, $0.name.description) }
    let themes = [("", "all")] + index.themes.map { ($0.name, $0.name) }
    let states = [
      ("", "all"), ("present", "found"), ("missing", "missing"), ("unreadable", "unreadable"),
      ("unknown", "not looked for"), ("odd", "odd"),
    ]
    func span(_ title: String, _ prefix: String, _ span: GalleryQuery.Span) -> HTML {
      func field(_ title: String, _ name: String, _ value: Double?) -> HTML {
        """
        <label>\(title)<input type="number" name="\(prefix)\(name)" step="any" \
        value="\(value.map { "\($0)" } ?? "")"></label>
        """
      }
      return "\(field("\(title) from", "low", span.low))\(field("to", "high", span.high))"
    }
    func select(_ name: String, _ title: String, _ list: [(String, String)], _ chosen: String?)
      -> HTML
    {
      """
      <label>\(title)<select name="\(name)">\(options(list.map { (value: $0.0, title: $0.1) }, chosen))\
      </select></label>
      """
    }
    let names = [("", "none")] + index.attributeNames.map { ($0, $0) }
    let attributes: HTML? =
      index.attributeNames.isEmpty
      ? nil
      : """
      \(select("attribute", "attribute", names, asked.attribute?.name.text))\
      \(span("attribute", "attribute_", asked.attribute?.span ?? .init()))
      """
    return """
      <form class="filter" action="\(address)" method="get">
      \(select("sort", "sorted by", sorts, asked.sort.text))
      \(index.parts.isEmpty ? nil : select("split", "split", splits, asked.split))
      \(index.themes.isEmpty ? nil : select("theme", "theme", themes, asked.theme))
      \(select("state", "file", states, asked.state?.rawValue))
      \(span("score", "", asked.score))
      \(index.spreads.contains { !$0.isNaN } ? span("spread of votes", "spread_", asked.spread) : nil)
      \(attributes)
      <label>name contains<input type="search" name="text" value="\(asked.text ?? "")"></label>
      <button type="submit">Show</button></form>
      """
  }

  /// The pictures of a gallery as a file.
  package func galleryCSV(_ name: String, _ query: Query) throws -> String {
    let index = try index(of: try dataset(name))
    var lines = ["image,gt_score,vote_std,state"]
    for place in try index.result(GalleryQuery(query)).map(Int.init) {
      let spread = index.spreads[place]
      lines.append(
        """
        \(Escaped.csv(index.keys[place].text)),\(index.scores[place]),\
        \(spread.isNaN ? "" : "\(spread)"),\(index.states[place].rawValue)
        """)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
