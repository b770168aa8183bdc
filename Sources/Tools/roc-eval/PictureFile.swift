import RocDigest
import RocImage
import RocStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The file of a picture, to tell whether it is still the one that was scored.
enum PictureFile {
  /// - Returns: Nil for a file that cannot be read.
  static func stamp(_ path: String) -> PictureStamp? {
    guard let (bytes, modified) = facts(path), let sha256 = try? SHA256.of(file: path) else {
      return nil
    }
    return PictureStamp(sha256: sha256, bytes: bytes, modified: modified)
  }

  /// Whether a file has the content that it had; its size and time say so without reading it.
  static func isUnchanged(_ path: String, since stamp: PictureStamp) -> Bool {
    guard let (bytes, modified) = facts(path) else {
      // A picture that went away has not become another one.
      return true
    }
    if bytes == stamp.bytes, modified == stamp.modified { return true }
    return bytes == stamp.bytes && (try? SHA256.of(file: path)) == stamp.sha256
  }

  /// Whether a picture is a PNG of 16-bit grey, which is clipped to white.
  static func isGrey16(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 26)
    let count = read(descriptor, &bytes, bytes.count)
    return count == bytes.count && bytes.withUnsafeBytes(PictureFormat.isGrey16)
  }

  /// Whether a file begins as a picture of a format that can be read.
  static func hasKnownContent(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 12 && bytes.withUnsafeBytes { PictureFormat($0) != nil }
  }

  private static func facts(_ path: String) -> (bytes: Int, modified: Double)? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return (Int(status.st_size), modified(status))
  }

  /// When a file was written last, in seconds since 1970; nil for one that is not there.
  static func modified(_ path: String) -> Double? { facts(path)?.modified }

  static func modified(_ status: stat) -> Double {
    #if canImport(Darwin)
    let time = status.st_mtimespec
    #else
    let time = status.st_mtim
    #endif
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Waits a little.
func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }
