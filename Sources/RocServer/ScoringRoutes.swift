import HTTPTypes
import Hummingbird
import NIOCore
import RocJSON
import RocModel
import RocScoring
import RocServing

/// Scores over HTTP.
struct ScoringRoutes {
  let model: ServedModel?
  let reader: BodyReader

  func add(to router: Router<RequestContext>) {
    let routes = self
    router.post("/api/roc4mllm") { try await routes.official(try await routes.begin($0, $1)) }
    router.post("/v1/score") { try await routes.score(try await routes.begin($0, $1)) }
    router.post("/v1/rewards") { try await routes.rewards(try await routes.begin($0, $1)) }
  }

  /// A request whose pictures are in the queue.
  private struct Begun: Sendable {
    let names: [String]
    let submission: ScoringQueue.Submission
    let connection: Connection
    /// What has been looked at already.
    var first: ScoringQueue.Outcome?

    /// Scores as they come; the queue forgets the rest when the client goes.
    ///
    /// - Throws: `RequestProblem` for a question that no picture can be asked, `ClientGone`.
    func answerEach(_ body: (Int, ScoredPicture) async throws -> Void) async throws {
      let watch = connection.onGone { submission.cancel() }
      defer {
        connection.forget(watch)
        submission.cancel()
      }
      var outcomes = submission.outcomes.makeAsyncIterator()
      for place in names.indices {
        let known = place == 0 ? first : nil
        let next = if let known { known } else { await outcomes.next() }
        try await body(place, try picture(next))
      }
    }

    private func picture(_ outcome: ScoringQueue.Outcome?) throws -> ScoredPicture {
      switch outcome {
      case .scored(let picture): return picture
      case .refused(let reason): throw RequestProblem(.badRequest, reason)
      case .failed(let reason): throw ServerTrouble(reason: reason)
      case nil:
        if connection.isGone { throw ClientGone() }
        throw CancellationError()
      }
    }

    /// Waits for the first score.
    ///
    /// - Throws: What `answerEach` throws.
    mutating func waitForFirst() async throws {
      let submission = submission
      let watch = connection.onGone { submission.cancel() }
      defer { connection.forget(watch) }
      var outcomes = submission.outcomes.makeAsyncIterator()
      first = await outcomes.next()
      _ = try picture(first)
    }
  }

  private func begin(_ request: Request, _ context: RequestContext) async throws -> Begun {
    guard let model else {
      throw RequestProblem(
        .unavailable, "no model is loaded; start roc-serve with --checkpoint to score")
    }
    let body = try await reader.read(request, on: context.channel.eventLoop)
    let sent = try ScoreRequest(
      body, contentType: request.headers[.contentType], model.defaults)
    let connection = try await context.connection()
    do throws(QueueRefusal) {
      return Begun(
        names: sent.pictures.map(\.name),
        submission: try model.queue.submit(sent.pictures, sent.asked), connection: connection)
    } catch {
      throw RequestProblem(error)
    }
  }

  /// The answer of the official server: one picture's score and the sentence.
  private func official(_ begun: Begun) async throws -> Response {
    guard begun.names.count == 1 else {
      begun.submission.cancel()
      throw RequestProblem(.badRequest, "expected one picture, found \(begun.names.count)")
    }
    var text = ""
    try await begun.answerEach { _, picture in
      guard picture.failure == nil, let answer = picture.answer else {
        throw RequestProblem(.unprocessable, picture.failure?.message ?? "no score")
      }
      let json: JSON = ["score": JSON(answer.scores.first), "comment": .string(answer.text)]
      text = json.line + "\n"
    }
    return .json(text)
  }

  /// Scores alone, in the order of the pictures; null for a picture without one.
  private func rewards(_ begun: Begun) async throws -> Response {
    var scores: [JSON] = []
    try await begun.answerEach { _, picture in
      scores.append(picture.failure == nil ? JSON(picture.answer?.scores.first) : .null)
    }
    return .json(JSON.array(scores).line + "\n")
  }

  /// The lines of `roc-eval score --jsonl`, of several pictures each as soon as it is scored.
  private func score(_ begun: Begun) async throws -> Response {
    @Sendable func line(_ place: Int, _ picture: ScoredPicture) -> String {
      picture.json(image: begun.names[place]).line + "\n"
    }
    guard begun.names.count > 1 else {
      var text = ""
      try await begun.answerEach { text = line($0, $1) }
      return .json(text)
    }
    // The status stands before the first line, so a question that cannot be asked is found first.
    var begun = begun
    try await begun.waitForFirst()
    return Response(
      status: .ok, headers: [.contentType: "application/x-ndjson"],
      body: ResponseBody { [begun] writer in
        try await begun.answerEach { place, picture in
          try await writer.write(ByteBuffer(string: line(place, picture)))
        }
        try await writer.finish(nil)
      })
  }
}

/// What the server could not do, for those who run it.
struct ServerTrouble: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}

/// The client did not wait for its answer.
struct ClientGone: Error {}
