import RocNames

/// Why a picture cannot be read.
package struct PictureError: Error, CustomStringConvertible, Equatable, Sendable {
  /// Machine-readable reasons, as they stand in `error.code` of results.
  package enum Code: String, Sendable {
    case missing = "missing"
    case unreadable = "unreadable"
    case empty = "empty"
    case notAPicture = "not_a_picture"
    case truncated = "truncated"
    case undecodable = "undecodable"
    case tooLarge = "too_large"
    /// Nothing about the picture: the machine has too few open files or too little memory, or its
    /// disk failed. It is never stored; whoever meets it stops.
    case machine = "machine"
  }

  package let code: Code
  package let path: String
  package let reason: String

  package init(_ code: Code, path: String, reason: String) {
    self.code = code
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(Quoted.name(path)): \(reason)" }
}
