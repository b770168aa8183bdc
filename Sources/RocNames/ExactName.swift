/// A name that equals another only byte by byte.
///
/// Swift calls texts equal that differ only in Unicode normalisation; a label file that has both
/// forms means two pictures, and file systems and SQLite tell them apart, too.
package protocol ExactName: Hashable, Comparable, Sendable, CustomStringConvertible {
  var text: String { get }
  init(_ text: String)
}

extension ExactName {
  package static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  /// By bytes, as SQLite and `LC_ALL=C sort` order names.
  package static func < (a: Self, b: Self) -> Bool {
    a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  package var description: String { text }
}
