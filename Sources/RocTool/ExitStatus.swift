/// What a command's exit code says; scripts rely on the numbers.
package enum ExitStatus: Int32, Sendable {
  case done = 0
  case failed = 1
  /// Done, but some items failed; they were listed.
  case partlyFailed = 3
  case checkFailed = 4
  case badCheckpoint = 5
  case dataMissing = 6
  case usage = 64
  case busy = 75
  case interrupted = 130
  case terminated = 143
}

/// An error that ends a command with a message for people and a code for scripts.
package struct CommandError: Error, CustomStringConvertible {
  package let status: ExitStatus
  package let message: String

  package init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  package var description: String { message }
}
