package import RocJSON

/// Pictures that two parts share.
package struct Overlap: Sendable, Equatable {
  /// How the pictures were found to be the same.
  package enum Kind: String, Sendable {
    case id
    case baseName = "base_name"
    case content
    /// Nearly the same perceptual hash.
    case perceptual
    /// Made from the same original.
    case group

    /// Whether it says that other pictures show the same photo, not that a picture is there twice.
    var isOfPhotos: Bool { self == .baseName || self == .group }
  }

  package let kind: Kind
  package let first: String
  package let second: String
  /// Pictures of each part that the other has, too.
  package let firstCount: Int
  package let secondCount: Int
  /// Pictures of each part.
  package let sizes: [Int]
  /// A few names from the second part.
  package let examples: [String]

  /// The same overlap between parts of other names.
  func renamed(first: String, second: String) -> Overlap {
    Overlap(
      kind: kind, first: first, second: second, firstCount: firstCount, secondCount: secondCount,
      sizes: sizes, examples: examples)
  }

  package var json: JSON {
    [
      "kind": .string(kind.rawValue), "parts": [.string(first), .string(second)],
      "n": [.int(firstCount), .int(secondCount)], "of": .array(sizes.map(JSON.int)),
      "examples": .array(examples.map(JSON.string)),
    ]
  }

  package var text: String {
    let what =
      switch kind {
      case .id: "pictures"
      case .baseName: "base names"
      case .content: "contents"
      case .perceptual: "pictures in another size or quality"
      case .group: "copies"
      }
    if kind == .group {
      return """
        \(second): \(secondCount) of \(sizes[1]) pictures are made from originals whose other copies \
        are in \(first) (\(firstCount) of its \(sizes[0]))
        """
    }
    return """
      \(second): \(secondCount) of \(sizes[1]) \(what) are also in \(first) \
      (\(firstCount) of its \(sizes[0]))
      """
  }
}
