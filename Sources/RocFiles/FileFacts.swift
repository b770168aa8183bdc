#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the system knows about a file.
package struct FileFacts: Sendable {
  /// Device and number: the file itself, whatever it is called.
  package struct Identity: Sendable, Equatable {
    let device: UInt64
    let number: UInt64
  }

  /// What there is at a path.
  package enum Kind: Sendable {
    case file
    case folder
    case link
    /// A pipe, a device or a socket.
    case other
  }

  package let kind: Kind
  package let bytes: Int
  /// When it was last written, in seconds since 1970.
  package let modified: Double
  package let identity: Identity
  let permissions: mode_t
  let owner: uid_t
  let group: gid_t

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    bytes = Int(status.st_size)
    #if canImport(Darwin)
    let time = status.st_mtimespec
    #else
    let time = status.st_mtim
    #endif
    modified = Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    permissions = status.st_mode & 0o7777
    owner = status.st_uid
    group = status.st_gid
  }

  /// The facts about what is at a path; nil where there is nothing.
  ///
  /// - Parameters:
  ///   - path: A path to anything.
  ///   - follows: Whether a link stands for what it leads to.
  package init?(_ path: String, follows: Bool = true) {
    var status = stat()
    guard (follows ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    self.init(status)
  }

  /// Tells the file from others and from itself after it was written.
  package var stamp: String { "\(identity.device) \(identity.number) \(bytes) \(modified)" }

  /// Whether it belongs to the user of this process.
  var isOwn: Bool { owner == geteuid() }
}

/// Whether something of that name is there.
package func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// Whether there is a folder of that name, or a link to one.
package func isFolder(_ path: String) -> Bool { FileFacts(path)?.kind == .folder }

/// Whether there is a regular file of at most 64 MB.
package func isSmallFile(_ path: String) -> Bool {
  guard let facts = FileFacts(path) else { return false }
  return facts.kind == .file && facts.bytes <= 64 << 20
}

/// The path without links and relative parts; unchanged when nothing is there.
package func absolutePath(_ path: String) -> String {
  guard let resolved = realpath(path, nil) else { return path }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// The names in a folder, sorted by their bytes; none when it cannot be read.
package func folderEntries(_ path: String) -> [String] { (try? listFolder(path)) ?? [] }

/// The names in a folder, sorted by their bytes.
///
/// - Throws: `FileError` when it cannot be read to its end.
package func listFolder(_ path: String) throws(FileError) -> [String] {
  guard let listing = opendir(path) else { throw FileError(path: path, errno: errno) }
  defer { closedir(listing) }
  var names: [String] = []
  while true {
    // Only this tells the end from a disk that fails.
    errno = 0
    guard let entry = readdir(listing) else { break }
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  guard errno == 0 else { throw FileError(path: path, errno: errno) }
  return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// Bytes that are free on the disk of a folder; nil where the system does not say.
package func freeSpace(_ folder: String) -> Int? {
  var facts = statvfs()
  guard statvfs(folder, &facts) == 0 else { return nil }
  return Int(facts.f_bavail) * Int(facts.f_frsize)
}

/// Makes a folder in an existing one, unless it exists already.
///
/// - Throws: `FileError` when it cannot be made.
package func makeFolder(_ path: String) throws(FileError) {
  guard mkdir(path, 0o777) != 0 else { return }
  let code = errno
  guard !isFolder(path) else { return }
  throw FileError(path: path, errno: code == EEXIST ? ENOTDIR : code)
}

/// Makes a folder and those above it.
///
/// - Returns: The folders that were not there before, outermost first.
/// - Throws: `FileError` when one cannot be made.
@discardableResult
package func makeFolders(_ path: String) throws(FileError) -> [String] {
  let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  var made: [String] = []
  var folder = ""
  for (place, part) in parts.enumerated() {
    folder += place == 0 ? String(Substring(part)) : "/\(String(Substring(part)))"
    guard !part.isEmpty, !part.elementsEqual(".".utf8) else { continue }
    // Network file systems refuse in different ways to make a folder that exists.
    guard !isFolder(folder) else { continue }
    try makeFolder(folder)
    made.append(folder)
  }
  return made
}

/// Waits until the disks have everything that was written, which is quicker than asking for each of
/// many small files.
package func synchroniseDisks() { sync() }
