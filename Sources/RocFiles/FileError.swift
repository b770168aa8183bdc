import RocNames

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why a file could not be read or written, with its name.
package struct FileError: Error, CustomStringConvertible, Equatable, Sendable {
  package let path: String
  package let reason: String
  /// The file or folder does not exist.
  package let isMissing: Bool
  /// The machine has too little of something, or its disk failed: the file itself may be good.
  package let isOfMachine: Bool

  package init(
    path: String, reason: String, isMissing: Bool = false, isOfMachine: Bool = false
  ) {
    self.path = path
    self.reason = reason
    self.isMissing = isMissing
    self.isOfMachine = isOfMachine
  }

  /// What the system says about an error number.
  package init(path: String, errno code: Int32) {
    self.init(
      path: path, reason: String(cString: strerror(code)), isMissing: code == ENOENT,
      isOfMachine: Self.shortages.contains(code))
  }

  /// Too many open files, no memory, and disks and networks that fail; not ENXIO, which a socket
  /// gives that bears the name of a picture.
  private static let shortages: Set<Int32> = [
    EMFILE, ENFILE, ENOMEM, EIO, ESTALE, ETIMEDOUT, ENETDOWN, ENETUNREACH,
    EHOSTDOWN, EHOSTUNREACH, ENOBUFS, EAGAIN, EINTR, EDQUOT, ENOLCK,
  ]

  package var description: String { "\(Quoted.name(path)): \(reason)" }
}
