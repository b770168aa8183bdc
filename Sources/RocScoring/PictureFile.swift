import RocDigest
import RocFiles
import RocImage
package import RocStore

/// The file of a picture, to tell whether it is still the one that was scored.
package enum PictureFile {
  /// - Returns: Nil for a file that cannot be read.
  package static func stamp(_ path: String) -> PictureStamp? {
    guard let facts = FileFacts(path), let sha256 = try? SHA256.of(file: path) else { return nil }
    return PictureStamp(sha256: sha256, bytes: facts.bytes, modified: facts.modified)
  }

  /// Whether a file has the content that it had; its size and time say so without reading it.
  package static func isUnchanged(_ path: String, since stamp: PictureStamp) -> Bool {
    // A picture that went away has not become another one.
    guard let facts = FileFacts(path) else { return true }
    guard facts.bytes == stamp.bytes else { return false }
    return facts.modified == stamp.modified || (try? SHA256.of(file: path)) == stamp.sha256
  }

  /// Whether a picture is a PNG of 16-bit grey, which is clipped to white.
  package static func isGrey16(_ path: String) -> Bool {
    start(of: path, 26)?.withUnsafeBytes(PictureFormat.isGrey16) ?? false
  }

  /// Whether a file begins as a picture of a format that can be read.
  package static func hasKnownContent(_ path: String) -> Bool {
    guard let start = start(of: path, 32), start.count > 12 else { return false }
    return start.withUnsafeBytes { PictureFormat($0) != nil }
  }

  private static func start(of path: String, _ count: Int) -> [UInt8]? {
    guard let file = try? OpenFile(path, .reading), file.facts?.kind == .file else { return nil }
    return try? file.read(count)
  }
}
