package import RocJSON
package import RocTensor

/// Why a checkpoint cannot be used: which file or tensor, what was found, what was expected.
package struct CheckpointError: Error, CustomStringConvertible, Equatable {
  package let message: String

  package init(_ message: String) { self.message = message }

  package init(_ error: FileError) { self.init(error.description) }

  package init(_ error: JSONError, in path: String) {
    self.init("\(path) is not valid JSON: \(error)")
  }

  package var description: String { message }
}
