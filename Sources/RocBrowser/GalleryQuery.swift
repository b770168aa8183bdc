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
  /// Values from one to another, both included; without an end there is no limit.
  package struct Span: Equatable, Sendable {
    package var low: Double?
    package var high: Double?

    package init(_ low: Double? = nil, _ high: Double? = nil) {
      self.low = low
      self.high = high
    }

    package var isEverything: Bool { low == nil && high == nil }

    /// Whether a value lies in it; not-a-number lies nowhere.
    package func contains(_ value: Double) -> Bool {
      value >= low ?? -.infinity && value <= high ?? .infinity
    }
  }

  /// Of gt_score.
  package var score = Span()
  /// Of the standard deviation of the votes.
  package var spread = Span()
  /// Of an attribute.
  package var attribute: AttributeSpan?

  package struct AttributeSpan: Equatable, Sendable {
    package let name: ExactText
    package let span: Span
  }
  /// Part of the name.
  package var text: String?

  package init() {}

  /// Reads an address; what it does not know counts as not said.
  package init(_ query: Query) {
    sort = query["sort"].flatMap(GallerySort.init) ?? sort
    split = query["split"]
    theme = query["theme"]
    state = query["state"].flatMap(State.init)
    func number(_ name: String) -> Double? {
      query[name].flatMap(Double.init).flatMap { $0.isNaN ? nil : $0 }
    }
    score = Span(number("low"), number("high"))
    spread = Span(number("spread_low"), number("spread_high"))
    attribute = query["attribute"].map {
      AttributeSpan(
        name: ExactText($0), span: Span(number("attribute_low"), number("attribute_high")))
    }
    text = query["text"]
  }

  /// Whether nothing is left out.
  package var isEverything: Bool {
    split == nil && theme == nil && state == nil && text == nil && score.isEverything
      && spread.isEverything && attribute?.span.isEverything ?? true
  }
}
