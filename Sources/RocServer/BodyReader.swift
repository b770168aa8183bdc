import HTTPTypes
import Hummingbird
import NIOCore
import RocServing
import Synchronization

/// Reads whole bodies within limits of size and time.
struct BodyReader {
  let mostBytes: Int
  let seconds: Int
  /// Bytes of all bodies that are being read.
  let room: ByteRoom

  /// - Parameters:
  ///   - request: Whose body has not been touched.
  ///   - loop: Keeps the time: a task that sleeps stays in memory until its time is over, even
  ///     when it was cancelled.
  /// - Returns: All of it.
  /// - Throws: `RequestProblem` for a body that is too large or too slow.
  func read(_ request: Request, on loop: any EventLoop) async throws -> [UInt8] {
    let tooLarge = RequestProblem(
      .tooLarge, "the body is larger than \(mostBytes) bytes; send fewer pictures in a request")
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > mostBytes {
      throw tooLarge
    }
    let (body, mostBytes, room) = (request.body, mostBytes, room)
    let reading = Task {
      var bytes: [UInt8] = []
      defer { room.leave(bytes.count) }
      for try await piece in body {
        guard bytes.count + piece.readableBytes <= mostBytes else { throw tooLarge }
        guard room.take(piece.readableBytes) else {
          throw RequestProblem(.busy, "too many large requests are arriving", retryAfter: 5)
        }
        bytes.append(contentsOf: piece.readableBytesView)
      }
      // A body that was given up looks like one that has ended.
      try Task.checkCancellation()
      return bytes
    }
    let deadline = Deadline()
    let timer = loop.scheduleTask(in: .seconds(Int64(seconds))) {
      deadline.pass()
      reading.cancel()
    }
    defer { timer.cancel() }
    do {
      return try await withTaskCancellationHandler {
        try await reading.value
      } onCancel: {
        reading.cancel()
      }
    } catch is CancellationError where deadline.hasPassed {
      throw RequestProblem(.timeout, "the body did not arrive within \(seconds) seconds")
    }
  }
}

/// A share of memory.
final class ByteRoom: Sendable {
  private let left: Mutex<Int>

  init(_ bytes: Int) { left = Mutex(bytes) }

  func take(_ bytes: Int) -> Bool {
    left.withLock { left in
      guard left >= bytes else { return false }
      left -= bytes
      return true
    }
  }

  func leave(_ bytes: Int) { left.withLock { $0 += bytes } }
}

private final class Deadline: Sendable {
  private let state = Mutex(false)

  var hasPassed: Bool { state.withLock { $0 } }

  func pass() { state.withLock { $0 = true } }
}
