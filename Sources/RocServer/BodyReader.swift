import HTTPTypes
import Hummingbird
import NIOCore
import RocServing

/// Reads whole bodies within limits of size and time.
struct BodyReader {
  let mostBytes: Int
  let seconds: Int

  /// - Throws: `RequestProblem` for a body that is too large or too slow.
  func read(_ request: Request) async throws -> [UInt8] {
    let tooLarge = RequestProblem(
      .tooLarge, "the body is larger than \(mostBytes) bytes; send fewer pictures in a request")
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > mostBytes {
      throw tooLarge
    }
    let (body, mostBytes, seconds) = (request.body, mostBytes, seconds)
    return try await withThrowingTaskGroup(of: [UInt8].self) { group in
      group.addTask {
        var bytes: [UInt8] = []
        for try await piece in body {
          guard bytes.count + piece.readableBytes <= mostBytes else { throw tooLarge }
          bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
      }
      group.addTask {
        try await Task.sleep(for: .seconds(seconds))
        throw RequestProblem(.timeout, "the body did not arrive within \(seconds) seconds")
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }
}
