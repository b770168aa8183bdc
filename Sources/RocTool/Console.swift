#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Results go to standard output, everything else to standard error.
package enum Console {
  /// Writes a line for people to standard error.
  package static func note(_ text: String) {
    _ = writeAll(Array("\(text)\n".utf8), to: 2)
  }

  /// Writes a result line to standard output.
  ///
  /// - Parameters:
  ///   - text: Without its line end.
  ///   - endsWhenClosed: A reader that closed the pipe has seen enough, and the command ends as if
  ///     done; false lets a command go on whose work is not the output.
  /// - Throws: `CommandError` when the output cannot be written.
  package static func print(
    _ text: String, endsWhenClosed: Bool = true
  ) throws(CommandError) {
    let code = writeAll(Array("\(text)\n".utf8), to: 1)
    if code == EPIPE {
      if endsWhenClosed { exit(ExitStatus.done.rawValue) }
      return
    }
    guard code == 0 else {
      throw CommandError(
        .failed, "cannot write to standard output: \(String(cString: strerror(code)))")
    }
  }

  /// Whether people look at standard error.
  package static var isTerminal: Bool { isatty(2) == 1 }

  /// Writes all bytes; returns 0 or the system's error number.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var start = 0
      while start < buffer.count {
        let written = write(descriptor, buffer.baseAddress.map { $0 + start }, buffer.count - start)
        if written < 0 {
          if errno == EINTR { continue }
          return errno
        }
        start += written
      }
      return 0
    }
  }
}
