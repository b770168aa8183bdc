import RocJSON

/// Why a request gets no answer; the message is for people.
package struct RequestProblem: Error, Equatable {
  /// What clients can tell apart.
  package enum Kind: Int, Sendable {
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case timeout = 408
    case tooLarge = 413
    case unsupportedType = 415
    case misdirected = 421
    case unprocessable = 422
    case busy = 429
    case failed = 500
    case unavailable = 503
  }

  package let kind: Kind
  package let message: String
  /// Seconds after which the same request may be taken.
  package var retryAfter: Int?

  package init(_ kind: Kind, _ message: String, retryAfter: Int? = nil) {
    self.kind = kind
    self.message = message
    self.retryAfter = retryAfter
  }

  package init(_ refusal: QueueRefusal) {
    switch refusal {
    case .full(let seconds):
      self.init(.busy, "too many pictures are waiting; try again later", retryAfter: seconds)
    case .tooMany(let most):
      self.init(.tooLarge, "more than \(most) pictures in one request; send them in several")
    case .stopping: self.init(.unavailable, "the server is stopping", retryAfter: 10)
    }
  }

  /// The body of the answer.
  package var json: String {
    (["error": ["code": .int(kind.rawValue), "message": .string(message)]] as JSON).line + "\n"
  }
}
