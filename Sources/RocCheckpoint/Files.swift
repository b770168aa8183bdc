package import RocJSON
import RocTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Whether something of that name is there.
package func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// A configuration file; hostile sizes are refused before parsing.
///
/// - Throws: `CheckpointError` naming the file, and the line of a syntax error.
package func readJSON(_ path: String) throws(CheckpointError) -> JSON {
  let file: MappedFile
  do throws(FileError) {
    file = try MappedFile(path: path)
  } catch {
    throw CheckpointError(error)
  }
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
  do throws(FileError) {
    return try MappedFile(path: path).withBytes { Array($0) }
  } catch {
    throw CheckpointError(error)
  }
}
