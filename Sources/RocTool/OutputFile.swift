#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that commands write: whole or not at all.
package enum OutputFile {
  /// Writes `bytes` to `path`, or to standard output for `-`.
  ///
  /// The bytes go to a temporary file beside `path` that is renamed when complete, so that a full
  /// disk or a kill leaves what was there before. What is no regular file (as /dev/full) is
  /// written in place.
  package static func write(_ bytes: [UInt8], to path: String) throws(CommandError) {
    try write(blocks: [bytes], to: path)
  }

  /// Writes pieces one after another, as `write` does.
  package static func write(blocks: [[UInt8]], to path: String) throws(CommandError) {
    func refuse(_ code: Int32) -> CommandError {
      CommandError(.failed, "\(path): cannot be written: \(String(cString: strerror(code)))")
    }
    if path == "-" {
      let code = writeAll(blocks, to: 1)
      if code == EPIPE { return Console.noteClosed() }
      guard code == 0 else { throw refuse(code) }
      return
    }
    var status = stat()
    let isSpecial = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    let target = isSpecial ? path : "\(path).partial-\(getpid())"
    let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw refuse(errno) }
    var code = writeAll(blocks, to: descriptor)
    if code == 0, !isSpecial, fsync(descriptor) != 0 { code = errno }
    if close(descriptor) != 0, code == 0 { code = errno }
    if code == 0, !isSpecial, rename(target, path) != 0 { code = errno }
    guard code == 0 else {
      if !isSpecial { unlink(target) }
      throw refuse(code)
    }
  }

  private static func writeAll(_ blocks: [[UInt8]], to descriptor: Int32) -> Int32 {
    for block in blocks {
      let code = Console.writeAll(block, to: descriptor)
      guard code == 0 else { return code }
    }
    return 0
  }

  package static func write(_ text: String, to path: String) throws(CommandError) {
    try write(Array(text.utf8), to: path)
  }
}
