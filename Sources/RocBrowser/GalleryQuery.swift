package import RocNames

/// By what pictures are sorted.
package struct GallerySort: Hashable, Sendable {
  package enum Key: Hashable, Sendable {
    case imported
    case score
    /// How much voters disagree.
    case spread
    case name
    case attribute(ExactText)
  }

  package let key: Key
  package let isDescending: Bool

  package init(_ key: Key, isDescending: Bool = false) {
    self.key = key
    self.isDescending = isDescending
  }

  /// As it stands in an address: `score`, `-spread`, `attribute:balance`.
  package init?(_ text: String) {
    let isDescending = text.hasPrefix("-")
    let name = String(isDescending ? text.dropFirst() : text[...])
    switch name {
    case "imported": key = .imported
    case "score": key = .score
    case "spread": key = .spread
    case "name": key = .name
    default:
      guard name.hasPrefix("attribute:") else { return nil }
      key = .attribute(ExactText(String(name.dropFirst(10))))
    }
    self.isDescending = isDescending
  }

  package var text: String {
    let name =
      switch key {
      case .imported: "imported"
      case .score: "score"
      case .spread: "spread"
      case .name: "name"
      case .attribute(let name): "attribute:\(name.text)"
      }
    return (isDescending ? "-" : "") + name
  }
}

/// Which pictures of a dataset a gallery shows, and in which order.
package struct GalleryQuery: Equatable, Sendable {
  /// What is known of a picture's file.
  package enum State: String, CaseIterable, Sendable {
    case present
    case missing
    case unreadable
    case unknown
    /// Decoded, with something odd about it.
    case odd
  }

  package var sort = GallerySort(.imported)
  /// `scheme/part`.
  package var split: String?
  package var theme: String?
  package var state: State?
  /// Of gt_score, both ends included.
  package var low: Double?
  package var high: Double?
  /// Part of the name.
  package var text: String?

  package init() {}

  /// Reads an address; what it does not know counts as not said.
  package init(_ query: Query) {
    sort = query["sort"].flatMap(GallerySort.init) ?? sort
    split = query["split"]
    theme = query["theme"]
    state = query["state"].flatMap(State.init)
    low = query["low"].flatMap(Double.init).flatMap { $0.isNaN ? nil : $0 }
    high = query["high"].flatMap(Double.init).flatMap { $0.isNaN ? nil : $0 }
    text = query["text"]
  }

  /// Whether nothing is left out.
  package var isEverything: Bool {
    split == nil && theme == nil && state == nil && low == nil && high == nil && text == nil
  }
}
