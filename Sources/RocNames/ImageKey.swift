/// What a picture is called in its dataset; unique there.
///
/// That is its path in the label files, without the parts that a manifest drops.
///
/// A type of its own, so that no plain text, which Swift compares differently, is taken for one.
package struct ImageKey: ExactName {
  package let text: String

  package init(_ text: String) { self.text = text }

  /// What follows the last slash; not unique in some datasets.
  package var base: String { PathName.base(text) }
}

/// The path of a file, as the system compares it.
package struct FileName: ExactName {
  package let text: String

  package init(_ text: String) { self.text = text }
}
