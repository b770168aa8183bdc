import RocData
import RocNames
import RocStore

extension Browser {
  /// What the parts of a dataset share.
  package func leaksPage(_ name: String, _ query: Query) throws -> Page {
    let dataset = try dataset(name)
    let index = try index(of: dataset)
    let crumbs = [Layout.Crumb(dataset.title, dataset.address)]
    guard let found = try audits(of: index) else {
      return waiting("Leaks between parts", crumbs)
    }
    let audit = found.leaks
    func table(_ name: String, _ title: String, _ overlaps: [Overlap]) -> PageTable {
      let rows = overlaps.map { overlap -> [PageTable.Cell] in
        [
          .init(overlap.first, address: gallery(dataset, overlap.first)),
          .count(overlap.firstCount),
          .init(overlap.second, address: gallery(dataset, overlap.second)),
          .count(overlap.secondCount), .init(Self.title(overlap.kind)),
          .init(overlap.examples.joined(separator: ", ")),
        ]
      }
      return PageTable(
        name, "\(dataset.title): \(title)",
        [
          .init("part"), .init("pictures", isNumber: true), .init("and part"),
          .init("of its pictures", isNumber: true), .init("the same by"),
          .init("examples", isLong: true),
        ], rows)
    }
    let tables = [
      table("leaks", "Leaks within a scheme", audit.leaks),
      table("warnings", "Base names that parts share", audit.warnings),
      table("between", "Between schemes", audit.between), table("lists", "Id lists", audit.lists),
    ]
    let titles = [
      "Within a scheme: these make numbers wrong", "Base names that need not be the same photo",
      "Trained on in one scheme and tested on in another", "Between id lists",
    ]
    let sections = zip(titles, tables).map { title, table -> HTML in
      "<h2>\(title)</h2>\(table.html(query))"
    }
    let twins: HTML? =
      audit.twins.count > 0
      ? """
      <p class="warning">\(Shown.count(audit.twins.count)) pictures have the base name and the score of \
      another one: \(audit.twins.examples.joined(separator: ", "))</p>
      """ : nil
    let undecoded = index.states.count { $0 != .readable && $0 != .unreadable && $0 != .missing }
    let hint: HTML? =
      undecoded > 0
      ? """
      <p class="lead">\(Shown.count(undecoded)) pictures have not been decoded, so they are compared by \
      name only; roc-data verify-images looks at them.</p>
      """ : nil
    return Page(
      "Leaks between parts", at: .datasets, crumbs: crumbs, tables: tables,
      "\(madeUp(dataset))\(hint)\(twins)\(sections)")
  }

  private func gallery(_ dataset: DatasetRecord, _ part: String) -> String {
    "\(dataset.address)/pictures?split=\(Query.encoded(part))"
  }

  private static func title(_ kind: Overlap.Kind) -> String {
    switch kind {
    case .id: "name"
    case .baseName: "base name"
    case .content: "content"
    case .perceptual: "look"
    case .group: "original"
    }
  }

  /// Groups on a page.
  private static let groupsShown = 40

  /// Pictures that look alike, side by side.
  package func lookAlikesPage(_ name: String, _ query: Query) throws -> Page {
    let dataset = try dataset(name)
    let index = try index(of: dataset)
    let crumbs = [Layout.Crumb(dataset.title, dataset.address)]
    let title = "Pictures that look alike"
    guard let found = try audits(of: index) else {
      return waiting(title, crumbs)
    }
    let groups = found.lookAlikes.groups
    let from = min(max(query["from"].flatMap(Int.init) ?? 0, 0), groups.count)
    let shown = groups[from..<min(from + Self.groupsShown, groups.count)]
    let sections = shown.map { group -> HTML in
      """
      <section class="card"><ul class="gallery">\(group.prefix(24).map { thumbnail($0, index) })</ul>\
      </section>
      """
    }
    let next = from + shown.count
    let more: HTML? =
      next < groups.count
      ? """
      <p class="more"><a rel="next" href="\(dataset.address)/look-alikes?from=\(next)">More</a></p>
      """ : nil
    let decoded = index.states.count { $0 == .readable }
    return Page(
      title, at: .datasets, crumbs: crumbs,
      """
      \(madeUp(dataset))
      <p class="lead">\(Shown.count(groups.count, "group", "groups")) among the \(Shown.count(decoded)) pictures that \
      have been decoded (roc-data verify-images).</p>
      <div class="groups">\(sections)</div>\(more)
      """)
  }

  /// A picture with its score and the parts that it is in.
  func thumbnail(_ sample: Int64, _ index: DatasetIndex) -> HTML {
    guard let place = index.place(of: sample) else { return "" }
    let parts = index.parts.filter { $0.places.containsSorted(Int32(place)) }
      .map(\.name.description)
    return """
      <li><a href="/pictures/\(Int(sample))"><img loading="lazy" alt="\(index.keys[place].text)" \
      src="/pictures/\(Int(sample))/thumbnail"><div class="caption">\
      <b>\(Shown.score(index.scores[place]))</b>\
      <span>\(parts.first ?? index.keys[place].base)</span></div></a></li>
      """
  }

  /// A page that comes again by itself until there is something to show.
  private func waiting(_ title: String, _ crumbs: [Layout.Crumb]) -> Page {
    Page(
      title, at: .datasets, crumbs: crumbs,
      """
      <p class="warning" data-waits>All pictures are being compared. This takes up to a few minutes for \
      hundreds of thousands of them; the page comes again by itself.</p>
      """)
  }
}

extension [Int32] {
  /// Whether a sorted array holds a value.
  fileprivate func containsSorted(_ value: Int32) -> Bool {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == value
  }
}
