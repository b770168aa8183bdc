import RocFiles
import RocNames
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Results go to standard output, everything else to standard error.
package enum Console {
  /// Writes a line for the user to standard error; what would reach the terminal as a command is
  /// escaped.
  package static func note(_ text: String) {
    _ = writeAll(Array("\(Quoted.text(text))\n".utf8), to: 2)
  }

  /// Whether whoever read standard output has seen enough and closed it.
  ///
  /// What is printed then goes nowhere; a command whose work is its output may stop, and its exit
  /// code tells all the same what it found.
  package static var isClosed: Bool { closed.load(ordering: .relaxed) }

  private static let closed = Atomic<Bool>(false)

  /// Writes a result for people to standard output, escaped as `note` does.
  ///
  /// - Parameter text: Without its line end.
  /// - Throws: `CommandError` when the output cannot be written; a closed pipe is no error.
  package static func print(_ text: String) throws(CommandError) {
    try write([Array("\(Quoted.text(text))\n".utf8)])
  }

  /// Writes a result for programs to standard output, exactly.
  ///
  /// - Parameter text: JSON, or rows of a table.
  /// - Throws: As `print` does.
  package static func printData(_ text: String) throws(CommandError) {
    try write([Array("\(text)\n".utf8)])
  }

  /// Writes pieces of a result to standard output, as `print` does.
  static func write(_ blocks: [[UInt8]]) throws(CommandError) {
    for block in blocks where !isClosed {
      let code = writeAll(block, to: 1)
      if code == EPIPE { return closed.store(true, ordering: .relaxed) }
      guard code == 0 else {
        throw CommandError(
          .failed, "cannot write to standard output: \(String(cString: strerror(code)))")
      }
    }
  }

  /// Whether standard error is a terminal.
  package static var isTerminal: Bool { isatty(2) == 1 }

  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { OpenFile.write($0, to: descriptor) }
  }
}
