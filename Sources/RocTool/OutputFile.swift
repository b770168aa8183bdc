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
    if isStandardOutput(path) {
      let code = writeAll(blocks, to: 1)
      if code == EPIPE { return Console.noteClosed() }
      guard code == 0 else { throw refuse(code) }
      return
    }
    var status = stat()
    let isThere = stat(path, &status) == 0
    // What a descriptor is open on is written to, never replaced.
    let isOpen = ["/dev/", "/proc/"].contains { path.utf8.starts(with: $0.utf8) }
    let isSpecial = isThere && (isOpen || status.st_mode & S_IFMT != S_IFREG)
    // A link stays one: what it points to is replaced.
    let path = isThere && !isSpecial ? resolved(path) : path
    let target = isSpecial ? path : "\(path).partial-\(getpid())"
    let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw refuse(errno) }
    var code = writeAll(blocks, to: descriptor)
    if isThere, !isSpecial { fchmod(descriptor, status.st_mode & 0o7777) }
    if code == 0, !isSpecial, fsync(descriptor) != 0 { code = errno }
    if close(descriptor) != 0, code == 0 { code = errno }
    if code == 0, !isSpecial, rename(target, path) != 0 { code = errno }
    guard code == 0 else {
      if !isSpecial { unlink(target) }
      throw refuse(code)
    }
  }

  /// Whether a path means standard output.
  package static func isStandardOutput(_ path: String) -> Bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].contains(path)
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
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
