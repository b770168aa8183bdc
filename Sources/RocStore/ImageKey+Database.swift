package import GRDB
package import RocNames

extension ImageKey: DatabaseValueConvertible {
  package var databaseValue: DatabaseValue { text.databaseValue }

  package static func fromDatabaseValue(_ value: DatabaseValue) -> ImageKey? {
    String.fromDatabaseValue(value).map(ImageKey.init)
  }
}

extension ImageKey {
  /// The keys of a list, one a line, as the database keeps them.
  static func lines(_ text: String) -> [ImageKey] {
    text.utf8.split(separator: 0x0A).map { ImageKey(String(Substring($0))) }
  }
}
