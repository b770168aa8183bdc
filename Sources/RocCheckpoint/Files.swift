import RocFiles
package import RocJSON

/// A configuration file; hostile sizes are refused before parsing.
///
/// - Throws: `CheckpointError` naming the file, and the line of a syntax error.
package func readJSON(_ path: String) throws(CheckpointError) -> JSON {
  let file = try map(path)
  guard file.count <= 64 << 20 else {
    throw CheckpointError("\(path): \(file.count) bytes, too large for a configuration file")
  }
  do throws(JSONError) {
    return try file.withBytes { bytes throws(JSONError) in try JSON.parse(bytes) }
  } catch {
    throw CheckpointError(error, in: path)
  }
}

/// All bytes of a small file.
package func readBytes(_ path: String) throws(CheckpointError) -> [UInt8] {
  try map(path).withBytes { Array($0) }
}

/// A mapped file of a checkpoint.
func map(_ path: String) throws(CheckpointError) -> MappedFile {
  do throws(FileError) {
    return try MappedFile(path: path)
  } catch {
    throw CheckpointError(error)
  }
}
