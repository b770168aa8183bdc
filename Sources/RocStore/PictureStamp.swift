/// The file of a picture as it was when it was read.
package struct PictureStamp: Sendable, Equatable {
  package let sha256: String
  package let bytes: Int
  /// Seconds since 1970.
  package let modified: Double

  package init(sha256: String, bytes: Int, modified: Double) {
    self.sha256 = sha256
    self.bytes = bytes
    self.modified = modified
  }
}
