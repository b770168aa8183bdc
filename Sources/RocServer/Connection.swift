import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Whether the client of a connection is still there.
///
/// A client that closes its sending side counts as gone, as for most servers: it cannot be told
/// from one that closed altogether.
final class Connection: Sendable {
  private struct State {
    var isGone = false
    var next = 0
    var callbacks: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  var isGone: Bool { state.withLock { $0.isGone } }

  /// Calls `body` when the client goes, or at once when it has gone.
  ///
  /// - Returns: What `forget` takes.
  func onGone(_ body: @escaping @Sendable () -> Void) -> Int {
    let number = state.withLock { state -> Int? in
      if state.isGone { return nil }
      state.next += 1
      state.callbacks[state.next] = body
      return state.next
    }
    if number == nil { body() }
    return number ?? 0
  }

  func forget(_ number: Int) { state.withLock { $0.callbacks[number] = nil } }

  func go() {
    let callbacks = state.withLock { state in
      state.isGone = true
      defer { state.callbacks = [:] }
      return state.callbacks
    }
    for callback in callbacks.values { callback() }
  }
}

/// Watches a connection: whether its client is there, whether its first request arrives in time,
/// and clients that ask before they send a large body.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  let connection = Connection()
  private let limit: TimeAmount
  private let mostBytes: Int
  private var deadline: Scheduled<Void>?
  /// For a client that does not read its answer.
  private var reading: Scheduled<Void>?

  /// - Parameters:
  ///   - seconds: For the head of the first request, and for a client to read what it was sent.
  ///     Between requests the idle timeout counts.
  ///   - mostBytes: Larger bodies are not asked for.
  init(seconds: Int, mostBytes: Int) {
    limit = .seconds(Int64(seconds))
    self.mostBytes = mostBytes
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(mode: .all, promise: nil) }
    do { try context.addPersistence() } catch { preconditionFailure("no HTTP/1 here: \(error)") }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    reading?.cancel()
    if !context.channel.isWritable {
      let channel = context.channel
      reading = context.eventLoop.scheduleTask(in: limit) {
        channel.close(mode: .all, promise: nil)
      }
    }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    reading?.cancel()
    connection.go()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { connection.go() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.go()
    context.fireErrorCaught(error)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head(let head) = unwrapInboundIn(data) {
      deadline?.cancel()
      // A body that is too large is refused without being sent.
      let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
      if head.headerFields[.expect]?.lowercased() == "100-continue", length <= mostBytes {
        let part = HTTPResponsePart.head(HTTPResponse(status: .continue))
        context.writeAndFlush(wrapOutboundOut(part), promise: nil)
      }
    }
    context.fireChannelRead(data)
  }
}
