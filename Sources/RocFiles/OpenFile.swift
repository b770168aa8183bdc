#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Whether a path leads to what this process has open, or to a device.
///
/// Such a path is written in place, never replaced. Shared memory holds ordinary files.
package func isWrittenInPlace(_ path: String) -> Bool {
  func isIn(_ folder: String) -> Bool { path.utf8.starts(with: folder.utf8) }
  return isIn("/proc/") || (isIn("/dev/") && !isIn("/dev/shm/"))
}

/// An open file or folder; it is closed, and its lock given up, when nobody refers to it any more.
///
/// Not thread-safe except for `deinit`: one owner writes.
package final class OpenFile: @unchecked Sendable {
  package let path: String
  /// -1 once it is closed.
  package private(set) var descriptor: Int32

  /// How a file is opened.
  package enum Mode: Sendable {
    /// To read; never waits for whoever writes a pipe.
    case reading
    /// To write at the end, even if others do, too; made when it is not there.
    case appending
    /// To write at the end of a file that is made here.
    case newAppending
    /// To write in place at the end of what is not a regular file, such as a device.
    case inPlace
    /// To write in place from the beginning; what was there is gone.
    case overwriting
    /// Only to lock; made when it is not there.
    case locking
    /// A folder.
    case folder

    fileprivate var flags: Int32 {
      switch self {
      case .reading: O_RDONLY | O_NONBLOCK
      case .appending: O_RDWR | O_CREAT | O_APPEND
      case .newAppending: O_WRONLY | O_CREAT | O_EXCL | O_APPEND
      case .inPlace: O_WRONLY | O_APPEND
      case .overwriting: O_WRONLY | O_TRUNC
      case .locking: O_RDWR | O_CREAT
      case .folder: O_RDONLY | O_DIRECTORY
      }
    }
  }

  /// - Throws: `FileError` with the system's reason.
  package init(_ path: String, _ mode: Mode) throws(FileError) {
    self.path = path
    descriptor = open(path, mode.flags | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError(path: path, errno: errno) }
  }

  /// A new file, to be written and then renamed.
  ///
  /// - Parameters:
  ///   - path: Must not exist, not even as a link.
  ///   - isPrivate: Whether only its owner may read it until its mode is set.
  /// - Throws: `FileError` with the system's reason.
  init(making path: String, isPrivate: Bool) throws(FileError) {
    self.path = path
    descriptor = open(
      path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, isPrivate ? 0o600 : 0o666)
    guard descriptor >= 0 else { throw FileError(path: path, errno: errno) }
  }

  /// Something that may have been left behind; links are not followed.
  init?(found path: String) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
  }

  deinit { if descriptor >= 0 { systemClose(descriptor) } }

  /// Closes the file; network file systems report a full disk only here.
  ///
  /// - Throws: `FileError` with the system's reason; the file is closed all the same.
  package func close() throws(FileError) {
    guard descriptor >= 0 else { return }
    let code = systemClose(descriptor)
    descriptor = -1
    guard code == 0 else { throw FileError(path: path, errno: errno) }
  }

  /// What the system knows of the open file.
  package var facts: FileFacts? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? FileFacts(status) : nil
  }

  /// Who has the lock that this process asked for.
  package enum Lock: Sendable {
    case own
    /// Another open file has it.
    case taken
    /// The file system has no locks.
    case unknown
  }

  /// Keeps out other processes that ask, until the file is closed.
  package func lock() -> Lock {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return .own }
    return errno == EWOULDBLOCK ? .taken : .unknown
  }

  /// Whether the path still leads to this file, which another process may have replaced.
  package var isStillThere: Bool {
    guard let own = facts, let named = FileFacts(path) else { return false }
    return own.identity == named.identity
  }

  /// Writes all bytes.
  ///
  /// - Throws: `FileError` when the disk is full or the reader of a pipe is gone.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    let code = Self.write(bytes, to: descriptor)
    guard code == 0 else { throw FileError(path: path, errno: code) }
  }

  /// Writes all bytes.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    let code = bytes.withUnsafeBytes { Self.write($0, to: descriptor) }
    guard code == 0 else { throw FileError(path: path, errno: code) }
  }

  /// Writes as many bytes as the system takes at once, at least one.
  ///
  /// - Returns: How many those were.
  package func writeSome(_ bytes: ArraySlice<UInt8>) throws(FileError) -> Int {
    while true {
      let count = bytes.withUnsafeBytes { raw in
        raw.baseAddress.map { systemWrite(descriptor, $0, raw.count) } ?? 0
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError(path: path, errno: errno) }
      return count
    }
  }

  /// Writes all bytes to an open descriptor; returns 0 or the system's error number.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    guard let base = bytes.baseAddress else { return 0 }
    var done = 0
    while done < bytes.count {
      let count = systemWrite(descriptor, base + done, min(bytes.count - done, 64 << 20))
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      done += count
    }
    return 0
  }

  /// Waits until the disk has everything.
  package func synchronise() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(path: path, errno: errno) }
  }

  /// Waits until the disk has the names in a folder, where the file system can do that: some
  /// network and user-space ones cannot, and the files are whole all the same.
  func synchroniseNames() throws(FileError) {
    guard fsync(descriptor) != 0 else { return }
    let code = errno
    guard ![EINVAL, ENOTSUP, ENOSYS, EBADF, EROFS, EACCES].contains(code) else { return }
    throw FileError(path: path, errno: code)
  }

  /// Reports what `close` would, and keeps the file and its lock: network file systems tell of a
  /// full disk or a quota only when a descriptor is closed.
  func flush() throws(FileError) {
    let copy = dup(descriptor)
    guard copy >= 0, systemClose(copy) == 0 else { throw FileError(path: path, errno: errno) }
  }

  /// At most `count` bytes from `start`; fewer only at the end.
  package func read(_ count: Int, from start: Int = 0) throws(FileError) -> [UInt8] {
    var result: [UInt8] = []
    while result.count < count {
      var block = [UInt8](repeating: 0, count: min(count - result.count, 1 << 20))
      let got = pread(descriptor, &block, block.count, off_t(start + result.count))
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw FileError(path: path, errno: errno) }
      if got == 0 { break }
      result += block[..<got]
    }
    return result
  }

  /// The bytes of a whole regular file, copied: a mapped one would end the process if its disk
  /// failed or somebody shortened it.
  ///
  /// - Throws: `FileError` with the system's reason, also for what is no regular file.
  package static func bytes(of path: String) throws(FileError) -> [UInt8] {
    // Without O_NONBLOCK a named pipe would wait for a writer before it can be refused.
    let file = try OpenFile(path, .reading)
    guard let facts = file.facts, facts.kind == .file else {
      throw FileError(
        path: path,
        reason: file.facts?.kind == .folder
          ? "is a folder, expected a file" : "is not a regular file"
      )
    }
    return try file.read(facts.bytes)
  }

  /// Cuts the file off after `count` bytes.
  package func truncate(to count: Int) throws(FileError) {
    guard ftruncate(descriptor, off_t(count)) == 0 else {
      throw FileError(path: path, errno: errno)
    }
  }

  /// Gives the file the mode, and where that is allowed the owner, of the one that it replaces.
  func take(_ facts: FileFacts) {
    // Before the mode: a change of owner takes special bits away.
    if fchown(descriptor, facts.owner, facts.group) != 0 { _ = fchown(descriptor, ~0, facts.group) }
    fchmod(descriptor, facts.permissions)
  }
}

@discardableResult
private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func systemWrite(
  _ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int
) -> Int {
  #if canImport(Glibc)
  Glibc.write(descriptor, start, count)
  #elseif canImport(Musl)
  Musl.write(descriptor, start, count)
  #else
  Darwin.write(descriptor, start, count)
  #endif
}
