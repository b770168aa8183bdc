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

/// The path without links and relative parts; as it is when nothing is there.
package func absolutePath(_ path: String) -> String {
  guard let resolved = realpath(path, nil) else { return path }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// The names in a folder, sorted; none when it cannot be read.
package func folderEntries(_ path: String) -> [String] {
  guard let listing = opendir(path) else { return [] }
  defer { closedir(listing) }
  var names: [String] = []
  while let entry = readdir(listing) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// Whether there is a regular file of at most 64 MB.
package func isSmallFile(_ path: String) -> Bool {
  var facts = stat()
  return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && facts.st_size <= 64 << 20
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
