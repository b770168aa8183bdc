/// A name that equals another only byte by byte.
///
/// Swift calls texts equal that differ in Unicode normalisation; a label file that has both forms
/// means two pictures, and so do file systems and SQLite.
package struct ExactText: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (a: ExactText, b: ExactText) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  /// By bytes, as SQLite and `LC_ALL=C sort` order names.
  package static func < (a: ExactText, b: ExactText) -> Bool {
    a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  package var description: String { text }
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
