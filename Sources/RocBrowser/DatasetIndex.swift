import RocData
package import RocNames
package import RocStore
import Synchronization

/// A dataset's pictures in memory, as far as galleries sort and filter by them: a quarter of a
/// million take some 40 MB, and a page of them comes without a query.
package final class DatasetIndex: Sendable {
  package let dataset: DatasetRecord
  /// By place, in the order of their import.
  package let ids: [Int64]
  package let keys: [ImageKey]
  package let scores: [Double]
  /// The standard deviation of the votes; NaN without votes.
  package let spreads: [Float]
  package let states: [ImageState]
  /// Whether decoding found something odd.
  package let isOdd: [Bool]
  package let parts: [(name: SplitName, places: [Int32])]
  /// The most frequent first.
  package let themes: [(name: String, places: [Int32])]
  package let attributeNames: [String]
  /// Rows that imports set aside.
  package let setAside: Int
  /// Changes when pictures, scores, votes, parts or what is known of files change.
  let version: Int

  private let store: Store
  private let placeByID: [Int64: Int32]
  private let cache = Mutex(Cache())

  private struct Cache {
    var orders: [GallerySort: [Int32]] = [:]
    var attributes: [ExactText: [Double]] = [:]
    /// The latest last.
    var results: [(query: GalleryQuery, places: [Int32])] = []
  }

  /// Results that are kept: people go back and forth between a few.
  private static let mostResults = 16

  package init(_ store: Store, _ dataset: DatasetRecord) throws {
    self.store = store
    self.dataset = dataset
    let samples = try store.samples(dataset).samples
    ids = samples.map(\.id)
    keys = samples.map(\.key)
    scores = samples.map(\.score)
    states = samples.map(\.imageState)
    isOdd = samples.map { !$0.imageFlags.isEmpty }
    let bins = dataset.bins
    spreads = samples.map { sample in
      guard let votes = sample.votes, let bins else { return .nan }
      return Self.spread(votes, step: bins.step)
    }
    let places = Dictionary(
      uniqueKeysWithValues: samples.indices.map { (samples[$0].id, Int32($0)) })
    placeByID = places
    let found = try Themes(store, dataset, samples: samples)
    var byTheme: [ExactText: [Int32]] = [:]
    if !found.isEmpty {
      for (place, sample) in samples.enumerated() {
        for theme in found[sample.id] { byTheme[theme, default: []].append(Int32(place)) }
      }
    }
    themes = byTheme.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
      .map { ($0.key.text, $0.value) }
    parts = try store.members(of: dataset).map { name, members in
      (name, members.compactMap { places[$0] })
    }
    attributeNames = try store.attributeNames(of: dataset).map(\.name)
    setAside = try store.quarantine(of: dataset).count
    var hasher = Hasher()
    hasher.combine(dataset)
    hasher.combine(ids)
    hasher.combine(scores)
    hasher.combine(states)
    for sample in samples { hasher.combine(sample.votes) }
    hasher.combine(try store.contentStamp(of: dataset))
    for part in parts {
      hasher.combine(part.name.description)
      hasher.combine(part.places)
    }
    version = hasher.finalize()
  }

  private static func spread(_ votes: [Int], step: Double) -> Float {
    var (count, sum, squares) = (0.0, 0.0, 0.0)
    for (bin, votes) in votes.enumerated() {
      count += Double(votes)
      sum += Double(votes) * Double(bin)
      squares += Double(votes) * Double(bin * bin)
    }
    guard count > 0 else { return .nan }
    let mean = sum / count
    return Float(max(squares / count - mean * mean, 0).squareRoot() * abs(step))
  }

  package var count: Int { ids.count }

  /// Where a picture stands, by its row.
  package func place(of id: Int64) -> Int? { placeByID[id].map(Int.init) }

  /// An attribute's value by place; NaN where there is none.
  package func attribute(_ name: String) throws -> [Double] {
    if let known = cache.withLock({ $0.attributes[ExactText(name)] }) { return known }
    var values = [Double](repeating: .nan, count: count)
    for (sample, found) in try store.attributes([name], of: dataset) {
      if let place = placeByID[sample], let value = found[ExactText(name)] {
        values[Int(place)] = value
      }
    }
    cache.withLock { $0.attributes[ExactText(name)] = values }
    return values
  }

  /// The places of the pictures that a query asks for, in its order.
  package func result(_ query: GalleryQuery) throws -> [Int32] {
    let query = understood(query)
    if let known = cache.withLock({ cache in cache.results.first { $0.query == query }?.places }) {
      return known
    }
    let order = try order(query.sort)
    let places = try query.isEverything ? order : filtered(order, query)
    cache.withLock { cache in
      cache.results.append((query, places))
      if cache.results.count > Self.mostResults { cache.results.removeFirst() }
    }
    return places
  }

  /// A query without what this dataset does not have: it counts as not said.
  package func understood(_ query: GalleryQuery) -> GalleryQuery {
    var query = query
    func isKnown(_ name: ExactText) -> Bool { attributeNames.contains { ExactText($0) == name } }
    if case .attribute(let name) = query.sort.key, !isKnown(name) {
      query.sort = GallerySort(.imported)
    }
    if let name = query.attribute?.name, !isKnown(name) { query.attribute = nil }
    if let split = query.split, !parts.contains(where: { $0.name.description.isExactly(split) }) {
      query.split = nil
    }
    if let theme = query.theme, !themes.contains(where: { $0.name.isExactly(theme) }) {
      query.theme = nil
    }
    return query
  }

  private func order(_ sort: GallerySort) throws -> [Int32] {
    if let known = cache.withLock({ $0.orders[sort] }) { return known }
    var order = (0..<Int32(count)).map { $0 }
    func sorted(_ values: [Double], _ isDescending: Bool) -> [Int32] {
      // What has no value comes last in either direction.
      let keys = values.map { $0.isNaN ? Double.infinity : isDescending ? -$0 : $0 }
      return order.sorted { (keys[Int($0)], $0) < (keys[Int($1)], $1) }
    }
    switch sort.key {
    case .imported: if sort.isDescending { order.reverse() }
    case .score: order = sorted(scores, sort.isDescending)
    case .spread: order = sorted(spreads.map(Double.init), sort.isDescending)
    case .name:
      order.sort { keys[Int($0)] < keys[Int($1)] }
      if sort.isDescending { order.reverse() }
    case .attribute(let name): order = sorted(try attribute(name.text), sort.isDescending)
    }
    cache.withLock { $0.orders[sort] = order }
    return order
  }

  private func filtered(_ order: [Int32], _ query: GalleryQuery) throws -> [Int32] {
    var isWanted = [Bool](repeating: true, count: count)
    func keep(only places: [Int32]) {
      var isKept = [Bool](repeating: false, count: count)
      for place in places { isKept[Int(place)] = true }
      for place in isWanted.indices where !isKept[place] { isWanted[place] = false }
    }
    if let split = query.split {
      keep(only: parts.first { $0.name.description.isExactly(split) }?.places ?? [])
    }
    if let theme = query.theme {
      keep(only: themes.first { $0.name.isExactly(theme) }?.places ?? [])
    }
    if let state = query.state {
      for place in isWanted.indices where !matches(place, state) { isWanted[place] = false }
    }
    func keep(within span: GalleryQuery.Span, _ value: (Int) -> Double) {
      guard !span.isEverything else { return }
      for place in isWanted.indices where !span.contains(value(place)) { isWanted[place] = false }
    }
    keep(within: query.score) { scores[$0] }
    keep(within: query.spread) { Double(spreads[$0]) }
    if let wanted = query.attribute {
      let values = try attribute(wanted.name.text)
      keep(within: wanted.span) { values[$0] }
    }
    if let text = query.text.map({ Array($0.utf8) }), !text.isEmpty {
      for place in isWanted.indices where isWanted[place] {
        if keys[place].text.utf8.firstRange(of: text) == nil { isWanted[place] = false }
      }
    }
    return order.filter { isWanted[Int($0)] }
  }

  private func matches(_ place: Int, _ state: GalleryQuery.State) -> Bool {
    switch state {
    case .present: states[place] == .found || states[place] == .readable
    case .missing: states[place] == .missing
    case .unreadable: states[place] == .unreadable
    case .unknown: states[place] == .unknown
    case .odd: isOdd[place]
    }
  }
}
