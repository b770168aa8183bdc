package import RocFiles

/// Files that commands write: whole or not at all.
package enum OutputFile {
  /// Writes `bytes` to `path`, or to standard output for `-`.
  ///
  /// A full disk or a kill leaves what was there before. What is not a regular file (such as
  /// /dev/full) is written in place.
  ///
  /// - Throws: `CommandError` that names the file and the system's reason.
  package static func write(_ bytes: [UInt8], to path: String) throws(CommandError) {
    try write(blocks: [bytes], to: path)
  }

  /// Writes pieces one after another, as `write` does.
  package static func write(blocks: [[UInt8]], to path: String) throws(CommandError) {
    if isStandardOutput(path) { return try Console.write(blocks) }
    do throws(FileError) {
      if let facts = FileFacts(path), isWrittenInPlace(path) || facts.kind != .file {
        let file = try OpenFile(path, .overwriting)
        for block in blocks { try file.write(block) }
        try file.close()
        return
      }
      note(Partial.clear(besides: path))
      let file = try NewFile(path)
      for block in blocks { try file.write(block) }
      try file.commit()
    } catch {
      throw CommandError(.failed, "\(path): cannot be written: \(error.reason)")
    }
  }

  /// Says which leftovers of killed runs have been removed.
  package static func note(_ cleared: [Partial.Leftover]) {
    for left in cleared {
      Console.note("Removed \(left.path), \(left.bytes) bytes, which a killed run had left.")
    }
  }

  /// Makes a folder for outputs, and those above it.
  package static func makeFolder(_ path: String) throws(CommandError) {
    do throws(FileError) {
      try makeFolders(path)
    } catch {
      throw CommandError(.failed, "\(path): cannot be made: \(error.reason)")
    }
  }

  /// Whether a path means standard output.
  package static func isStandardOutput(_ path: String) -> Bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].contains(path)
  }

  package static func write(_ text: String, to path: String) throws(CommandError) {
    try write(Array(text.utf8), to: path)
  }
}
