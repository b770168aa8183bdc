import RocDigest
package import RocFiles
import RocImage
package import RocStore

/// The file of a picture, to tell whether it is still the one that was scored.
package enum PictureFile {
  /// The stamp of a picture that has been scored.
  ///
  /// - Parameters:
  ///   - path: Its file.
  ///   - facts: What was known of the file before it was read.
  /// - Returns: Nil for a file that can no longer be read. Where it was replaced meanwhile, nobody
  ///   can say what was scored: the stamp fits no file, and the picture is scored again.
  package static func stamp(_ path: String, read facts: FileFacts) -> PictureStamp? {
    guard let sha256 = try? SHA256.of(file: path) else { return nil }
    let isSame = FileFacts(path).map {
      $0.identity == facts.identity && $0.bytes == facts.bytes && $0.modified == facts.modified
    }
    return PictureStamp(
      sha256: isSame == true ? sha256 : "", bytes: facts.bytes,
      modified: isSame == true ? facts.modified : 0)
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

  /// Whether a file begins like a picture of a format that can be read.
  package static func hasKnownContent(_ path: String) -> Bool {
    guard let start = start(of: path, 32), start.count > 12 else { return false }
    return start.withUnsafeBytes { PictureFormat($0) != nil }
  }

  private static func start(of path: String, _ count: Int) -> [UInt8]? {
    guard let file = try? OpenFile(path, .reading), file.facts?.kind == .file else { return nil }
    return try? file.read(count)
  }
}
