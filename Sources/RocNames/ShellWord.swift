/// Words of commands that people or schedulers run in a shell.
package enum ShellWord {
  /// The text, written so that a POSIX shell takes it for one word.
  ///
  /// By bytes: a combining mark after a quotation mark hides it from Swift, but not from a shell.
  package static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "-_./=:,@%+".utf8.contains(byte)
    }
    if isPlain, !text.isEmpty { return text }
    let pieces = text.utf8.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
    return "'" + pieces.map { String(Substring($0)) }.joined(separator: "'\\''") + "'"
  }
}
