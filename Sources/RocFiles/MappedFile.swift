#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A regular file mapped read-only into memory; pages are read when touched.
@safe
package final class MappedFile: @unchecked Sendable {
  package let path: String
  private let bytes: UnsafeRawBufferPointer
  /// The contents exist nowhere else.
  private var isMemory = false

  /// - Parameter path: A regular file of any size, empty included.
  /// - Throws: `FileError` naming the file and the system's reason.
  package init(path: String) throws(FileError) {
    // Without O_NONBLOCK a named pipe would wait for a writer before it can be refused.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(
        path: path, reason: isFolder ? "is a folder, expected a file" : "is not a regular file")
    }
    let count = Int(status.st_size)
    self.path = path
    if count == 0 {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let mapped, mapped != MAP_FAILED else { throw FileError(path: path, errno: errno) }
    bytes = UnsafeRawBufferPointer(start: mapped, count: count)
  }

  /// Memory that stands for a file, filled by `fill`; pages come from the system as it writes.
  ///
  /// - Parameters:
  ///   - name: Takes the place of the path in messages.
  ///   - count: Bytes, zero before they are filled.
  ///   - fill: Writes the contents.
  /// - Throws: `FileError` when the system has no such memory.
  package init(
    memory name: String, count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void
  ) throws(FileError) {
    guard count > 0 else {
      path = name
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let mapped = mmap(
      nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { throw FileError(path: name, errno: errno) }
    fill(UnsafeMutableRawBufferPointer(start: mapped, count: count))
    path = name
    isMemory = true
    bytes = UnsafeRawBufferPointer(start: mapped, count: count)
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  package var count: Int { bytes.count }

  /// Lends the contents; the file stays mapped until `body` returns.
  package func withBytes<Value: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    // Without this a temporary file object could be unmapped while its bytes are read.
    defer { extendLifetime(self) }
    return try body(bytes)
  }

  /// Lets the system drop the pages before `position`, which were read and are not needed soon.
  ///
  /// Memory then stays flat while a large file is read once; pages are read again when touched.
  package func forget(before position: Int) {
    let page = Int(getpagesize())
    let count = min(position, bytes.count) / page * page
    guard count > 0, !isMemory, let base = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
  }

  /// The contents as text; bytes that are not UTF-8 are replaced.
  package var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}
