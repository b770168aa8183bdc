import RocJSON
import RocTables

/// A picture as the libraries of Hugging Face write it: `{"bytes": null, "path": "a.jpg"}`.
enum PictureCell {
  /// The path of a picture.
  ///
  /// - Returns: Nil for a value of another form.
  /// - Throws: `DataError` for a picture without a name, as when the file holds the picture itself.
  static func path(_ value: JSON, _ column: String) throws(DataError) -> String? {
    guard let members = value.members, members.contains(where: { $0.name == "path" }) else {
      return nil
    }
    if let path = value["path"]?.string, !path.isEmpty { return path }
    guard value["bytes"]?.isNull == false else {
      throw DataError("\(column).path is empty, expected the name of one picture")
    }
    throw DataError(
      """
      \(column) holds the picture itself and no path; save the pictures as files and give their \
      names in \(column)
      """)
  }
}
