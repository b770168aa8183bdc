package import RocFiles
package import RocJSON

/// Why a checkpoint cannot be used: which file or tensor, what was found, what was expected.
package struct CheckpointError: Error, CustomStringConvertible, Equatable {
  /// Whose fault it is.
  package enum Kind: Sendable {
    /// The checkpoint that is read.
    case unusable
    /// The name that was given for a new one.
    case exists
    /// The disk, or values that the new format cannot hold.
    case output
    /// Nobody's: the writing was stopped.
    case interrupted
    /// The machine's, which is too short of files or memory, or whose disk failed.
    case machine
  }

  package let message: String
  package let kind: Kind

  package init(_ message: String, _ kind: Kind = .unusable) {
    self.message = message
    self.kind = kind
  }

  package init(_ error: FileError, _ kind: Kind = .unusable) {
    self.init(error.description, error.isOfMachine && kind == .unusable ? .machine : kind)
  }

  package init(_ error: JSONError, in path: String) {
    self.init("\(path) is not valid JSON: \(error)")
  }

  package var description: String { message }
}
