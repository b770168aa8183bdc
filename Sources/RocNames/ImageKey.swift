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
