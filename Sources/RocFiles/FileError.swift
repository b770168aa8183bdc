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

  package init(path: String, reason: String, isMissing: Bool = false) {
    self.path = path
    self.reason = reason
    self.isMissing = isMissing
  }

  /// What the system says about an error number.
  package init(path: String, errno code: Int32) {
    self.init(path: path, reason: String(cString: strerror(code)), isMissing: code == ENOENT)
  }

  package var description: String { "\(path): \(reason)" }
}
