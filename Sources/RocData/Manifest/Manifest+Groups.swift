import RocJSON
import RocNames

/// Pictures that show the same thing, as distorted copies of one original do.
extension Manifest {
  /// The columns that name what a picture was made from; the first that has a value counts.
  package var groupColumns: [String] { (group ?? seeded?.group)?.all ?? [] }

  /// What keeps a picture together with others.
  ///
  /// - Parameter value: A column of what was kept of the picture.
  /// - Returns: Nil where the picture names nothing.
  func group(_ value: (String) -> JSON?) -> String? {
    for column in groupColumns {
      switch value(column) {
      case nil, .null: continue
      case .string(let text): if !text.isEmpty { return text }
      case .some(let other): return other.line
      }
    }
    return nil
  }
}
