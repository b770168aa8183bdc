package import RocNames

/// Why data cannot be imported, checked or written.
package struct DataError: ReportedError, CustomStringConvertible, Equatable, Sendable {
  package let message: String
  /// A file or dataset that is needed is not there.
  package let isMissing: Bool
  /// The request is wrong, as when it names what does not exist.
  package let isUsage: Bool

  package init(_ message: String, isMissing: Bool = false, isUsage: Bool = false) {
    self.message = message
    self.isMissing = isMissing
    self.isUsage = isUsage
  }

  package var outcome: Outcome { isUsage ? .usage : isMissing ? .missing : .failed }
  package var description: String { message }
}
