/// An error whose message is for people, and which says what kind of failure it is.
///
/// Commands turn each kind into an exit code, so that no other module needs to know those.
package protocol ReportedError: Error {
  var message: String { get }
  var outcome: Outcome { get }
}

/// Why something could not be done.
package enum Outcome: Sendable {
  case failed
  /// A file or dataset that is needed is not there.
  case missing
  /// Something was looked at and is not as it should be.
  case checkFailed
  /// Another process has it.
  case busy
  /// The request is wrong, as when it names what does not exist.
  case usage
}

/// Why a job cannot be done or was not done.
package struct JobError: ReportedError, CustomStringConvertible {
  package let message: String
  package let outcome: Outcome

  package init(_ outcome: Outcome, _ message: String) {
    self.message = message
    self.outcome = outcome
  }

  package var description: String { message }
}
