/// A name that equals another only byte by byte.
///
/// Swift calls texts equal that differ in Unicode normalisation; a label file that has both forms
/// means two pictures, and so do file systems and SQLite.
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

/// What a picture is called in its dataset, where the name is unique.
///
/// That is its path in the label files, without the parts that a manifest drops.
///
/// A type of its own, so that no text, which Swift compares otherwise, is taken for one.
package struct ImageKey: ExactName {
  package let text: String

  package init(_ text: String) { self.text = text }

  /// What stands behind the last slash; not unique in some datasets.
  package var base: String { PathName.base(text) }
}

/// The path of a file, as the system compares it.
package struct FileName: ExactName {
  package let text: String

  package init(_ text: String) { self.text = text }
}
