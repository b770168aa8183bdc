import Dispatch
package import RocModel
import Synchronization

/// A picture as it was sent.
package struct SentPicture: Sendable {
  /// What answers and messages call it.
  package let name: String
  /// The whole file.
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

/// What is asked about the pictures of a request.
package struct Asked: Sendable, Equatable {
  package let mode: ScoringMode
  /// Digits of the score in the text.
  package let decimals: Int

  package init(mode: ScoringMode, decimals: Int) {
    self.mode = mode
    self.decimals = decimals
  }
}

/// Why pictures are not taken.
package enum QueueRefusal: Error, Equatable {
  /// Too many are waiting; there may be room after so many seconds.
  case full(retryAfter: Int)
  /// More than the queue ever takes.
  case tooMany(most: Int)
  case stopping
}

/// Shares one engine among requests: pictures are decoded ahead of it, those of different requests in
/// turn, and a request whose client has gone gives its places back.
///
/// Scores are those of `roc-eval score`, whatever else is in the queue: a picture's answer has the
/// same bits in any company.
package final class ScoringQueue: Sendable {
  /// What happened to one picture.
  package enum Outcome: Sendable {
    case scored(ScoredPicture)
    /// No picture can be asked this question.
    case refused(String)
    /// The server could not do it, which says nothing about the picture.
    case failed(String)
  }

  /// The pictures of a request on their way.
  package struct Submission: Sendable {
    /// One for each picture in their order; fewer when the request was given up.
    package let outcomes: AsyncStream<Outcome>
    private let giveUp: @Sendable () -> Void

    fileprivate init(outcomes: AsyncStream<Outcome>, giveUp: @escaping @Sendable () -> Void) {
      self.outcomes = outcomes
      self.giveUp = giveUp
    }

    /// Gives the places back; what is answered stays so.
    package func cancel() { giveUp() }
  }

  /// How much the queue takes.
  package struct Limits: Sendable {
    /// Pictures that wait or are worked on.
    package var pictures = 256
    /// Bytes of their files.
    package var bytes = 512 << 20
    /// Pictures that are decoded ahead of the engine.
    package var ahead = 4

    package init() {}
  }

  /// The pictures of one request.
  private struct Request {
    let id: Int
    let asked: Asked
    /// Not yet decoded, the next one first.
    var waiting: ArraySlice<SentPicture>
    let total: Int
    /// Not yet answered.
    var left: Int
    let submitted: ContinuousClock.Instant
    let answers: AsyncStream<Outcome>.Continuation
  }

  /// A decoded picture on its way to the engine.
  private struct Prepared: Sendable {
    let request: Int
    let asked: Asked
    let bytes: Int
    let picture: PreparedPicture
  }

  private struct State {
    /// In the order in which their next pictures are taken.
    var requests: [Request] = []
    var prepared: ArraySlice<Prepared> = []
    var nextID = 0
    /// Pictures that were taken and are not answered, and the bytes of their files.
    var held = 0
    var heldBytes = 0
    var isStopping = false
    /// Mean seconds of the engine for a picture, of the last ones.
    var pace = 0.0
  }

  private let engine: Engine
  private let limits: Limits
  private let metrics: ServerMetrics
  private let state = Mutex(State())
  /// Pictures that wait to be decoded.
  private let waiting = DispatchSemaphore(value: 0)
  /// Decoded pictures.
  private let ready = DispatchSemaphore(value: 0)
  /// Room for decoded pictures.
  private let room: DispatchSemaphore

  /// - Parameters:
  ///   - engine: Loaded; nobody else uses it meanwhile.
  ///   - limits: How much is taken.
  ///   - metrics: Gets counts and times.
  package init(_ engine: Engine, limits: Limits = Limits(), metrics: ServerMetrics) {
    self.engine = engine
    self.limits = limits
    self.metrics = metrics
    room = DispatchSemaphore(value: max(limits.ahead, 1))
    // They live as long as the program.
    DispatchQueue(label: "roc.decode").async { self.decode() }
    DispatchQueue(label: "roc.engine").async { self.work() }
  }

  /// Pictures that were taken and are not answered.
  package var held: Int { state.withLock { $0.held } }

  /// The most pictures that are held.
  package var capacity: Int { limits.pictures }

  /// Takes all pictures of a request, or none.
  ///
  /// - Parameters:
  ///   - pictures: Answered in their order.
  ///   - asked: What is asked about them.
  /// - Returns: Their outcomes as they are there.
  /// - Throws: `QueueRefusal`.
  package func submit(
    _ pictures: [SentPicture], _ asked: Asked
  ) throws(QueueRefusal) -> Submission {
    precondition(!pictures.isEmpty, "a request without pictures")
    let (stream, answers) = AsyncStream<Outcome>.makeStream()
    guard pictures.count <= limits.pictures else { throw .tooMany(most: limits.pictures) }
    let bytes = pictures.reduce(0) { $0 + $1.bytes.count }
    let id = try state.withLock { state throws(QueueRefusal) in
      guard !state.isStopping else { throw .stopping }
      // A request that is larger than all room for bytes is taken when nothing else is there.
      guard state.held + pictures.count <= limits.pictures,
        state.heldBytes + bytes <= limits.bytes || state.held == 0
      else {
        let seconds = (Double(state.held) * state.pace).rounded(.up)
        throw .full(retryAfter: min(max(Int(seconds), 1), 600))
      }
      state.nextID += 1
      state.held += pictures.count
      state.heldBytes += bytes
      state.requests.append(
        Request(
          id: state.nextID, asked: asked, waiting: pictures[...], total: pictures.count,
          left: pictures.count, submitted: .now, answers: answers))
      return state.nextID
    }
    answers.onTermination = { reason in
      if case .cancelled = reason { self.giveUp(id) }
    }
    for _ in pictures { waiting.signal() }
    return Submission(outcomes: stream) { self.giveUp(id) }
  }

  /// From now on nothing is taken; what was is still answered.
  package func stop() {
    state.withLock { $0.isStopping = true }
  }

  /// Forgets a request whose client has gone; a picture that the engine has begun is finished.
  private func giveUp(_ id: Int) {
    let (dropped, answers) = state.withLock { state in
      guard let place = state.requests.firstIndex(where: { $0.id == id }) else {
        return (0, AsyncStream<Outcome>.Continuation?.none)
      }
      let request = state.requests.remove(at: place)
      state.held -= request.waiting.count
      state.heldBytes -= request.waiting.reduce(0) { $0 + $1.bytes.count }
      return (request.waiting.count, request.answers)
    }
    answers?.finish()
    if dropped > 0 { metrics.count(pictures: "abandoned", dropped) }
  }

  /// Decodes pictures ahead of the engine, one of each request in turn.
  private func decode() {
    while true {
      waiting.wait()
      room.wait()
      let taken: (Request, SentPicture)? = state.withLock { state in
        guard let place = state.requests.firstIndex(where: { !$0.waiting.isEmpty }) else {
          return nil
        }
        var request = state.requests.remove(at: place)
        let picture = request.waiting[request.waiting.startIndex]
        // A slice keeps what was taken from its start: its bytes must not stay with it.
        request.waiting[request.waiting.startIndex] = SentPicture(name: "", bytes: [])
        request.waiting.removeFirst()
        state.requests.append(request)
        return (request, picture)
      }
      // Its request has gone.
      guard let (request, sent) = taken else {
        room.signal()
        continue
      }
      metrics.time("waiting", since: request.submitted)
      let start = ContinuousClock.now
      let picture = PreparedPicture(
        bytes: sent.bytes, name: sent.name, engine.parts.preprocessing)
      metrics.time("decoding", since: start)
      state.withLock {
        $0.prepared.append(
          Prepared(
            request: request.id, asked: request.asked, bytes: sent.bytes.count, picture: picture))
      }
      ready.signal()
    }
  }

  /// Scores what is decoded.
  private func work() {
    while true {
      ready.wait()
      guard let next = state.withLock({ $0.prepared.popFirst() }) else { continue }
      let isWanted = state.withLock { state in state.requests.contains { $0.id == next.request } }
      if isWanted {
        let start = ContinuousClock.now
        let outcome = score(next)
        metrics.time("scoring", since: start)
        metrics.count(pictures: Self.label(outcome), 1)
        finish(next, outcome, seconds: (ContinuousClock.now - start) / .seconds(1))
      } else {
        metrics.count(pictures: "abandoned", 1)
        finish(next, nil, seconds: nil)
      }
      room.signal()
    }
  }

  private func score(_ next: Prepared) -> Outcome {
    do throws(ModelError) {
      return .scored(
        try engine.score(next.picture, mode: next.asked.mode, decimals: next.asked.decimals))
    } catch .request(let reason) {
      return .refused(reason)
    } catch {
      return .failed(error.description)
    }
  }

  private func finish(_ done: Prepared, _ outcome: Outcome?, seconds: Double?) {
    let (answers, isLast) = state.withLock { state in
      state.held -= 1
      state.heldBytes -= done.bytes
      if let seconds {
        state.pace = state.pace == 0 ? seconds : 0.9 * state.pace + 0.1 * seconds
      }
      guard let place = state.requests.firstIndex(where: { $0.id == done.request }) else {
        return (AsyncStream<Outcome>.Continuation?.none, false)
      }
      state.requests[place].left -= 1
      let answers = state.requests[place].answers
      let isLast = state.requests[place].left == 0
      if isLast { state.requests.remove(at: place) }
      return (answers, isLast)
    }
    if let outcome { answers?.yield(outcome) }
    if isLast { answers?.finish() }
  }

  private static func label(_ outcome: Outcome) -> String {
    switch outcome {
    case .scored(let picture): picture.failure?.code ?? "scored"
    case .refused: "refused"
    case .failed: "failed"
    }
  }
}
