/// A name of a column, an attribute or a theme, compared byte by byte.
package struct ExactText: ExactName {
  package let text: String

  package init(_ text: String) { self.text = text }
}

extension Dictionary where Key == ExactText {
  /// The value of a name.
  package subscript(name: String) -> Value? {
    get { self[ExactText(name)] }
    set { self[ExactText(name)] = newValue }
  }

  package subscript(name: String, default preset: @autoclosure () -> Value) -> Value {
    get { self[ExactText(name), default: preset()] }
    _modify { yield &self[ExactText(name), default: preset()] }
  }
}

extension Set where Element == ExactText {
  package init(names: some Sequence<String>) { self.init(names.lazy.map { ExactText($0) }) }

  package func contains(_ name: String) -> Bool { contains(ExactText(name)) }

  @discardableResult
  package mutating func insert(_ name: String) -> Bool { insert(ExactText(name)).inserted }
}

extension Sequence<String> {
  /// In the order of their bytes.
  package func sortedByBytes() -> [String] {
    sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

extension StringProtocol {
  /// Whether another text has the same bytes.
  package func isExactly(_ other: some StringProtocol) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}
