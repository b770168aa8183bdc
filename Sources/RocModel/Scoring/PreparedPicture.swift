package import RocFiles
package import RocImage

/// A picture that was read and prepared for a model, or why it could not be.
package struct PreparedPicture: Sendable {
  /// What messages call it.
  package let name: String
  package let pixels: Result<Pixels, PictureError>
  /// The file just before it was read; nil when it is not there, and for a picture in memory.
  package let file: FileFacts?

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: A JPEG, PNG, WebP or BMP file.
  ///   - preprocessing: The model's.
  package init(path: String, _ preprocessing: Preprocessing) {
    name = path
    // Before it is read: a file that is replaced meanwhile must not pass for the one that was.
    file = FileFacts(path)
    pixels = Self.prepared(preprocessing, path) { () throws(PictureError) in
      try Picture.read(path)
    }
  }

  /// Decodes the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - name: What messages call it.
  ///   - preprocessing: The model's.
  package init(bytes: [UInt8], name: String, _ preprocessing: Preprocessing) {
    self.name = name
    file = nil
    pixels = Self.prepared(preprocessing, name) { () throws(PictureError) in
      try bytes.withUnsafeBytes { bytes in
        Result { () throws(PictureError) in try Picture.decode(bytes, path: name) }
      }.get()
    }
  }

  private static func prepared(
    _ preprocessing: Preprocessing, _ name: String, _ read: () throws(PictureError) -> Picture
  ) -> Result<Pixels, PictureError> {
    do throws(PictureError) {
      return .success(try preprocessing(try read(), path: name))
    } catch {
      return .failure(error)
    }
  }
}
