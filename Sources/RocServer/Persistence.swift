import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Keeps or closes a connection after an answer as its client asked to, those that speak HTTP/1.0
/// included (RFC 9112, section 9.3): `ab`, old proxies.
///
/// They are not told apart any more behind NIO's translation of requests, so this stands before it.
final class Persistence: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private static let linger = TimeAmount.seconds(5)

  private struct Asked {
    let version: HTTPVersion
    let isKept: Bool
  }

  /// Requests that are not answered yet, the oldest first.
  private var asked: [Asked] = []
  private var closes = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head(let head) = unwrapInboundIn(data) {
      asked.append(Asked(version: head.version, isKept: head.isKeepAlive))
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head) where head.status.code >= 200:
      if let request = asked.first { agree(&head, request) }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .end(let trailers):
      if !asked.isEmpty { asked.removeFirst() }
      let channel = context.channel
      let written = promise ?? context.eventLoop.makePromise()
      if closes {
        // What its client still sends is read until it has seen the answer, but not for ever.
        let loop = context.eventLoop
        written.futureResult.whenSuccess {
          channel.close(mode: .output, promise: nil)
          loop.scheduleTask(in: Self.linger) { channel.close(mode: .all, promise: nil) }
        }
      }
      context.write(wrapOutboundOut(.end(trailers)), promise: written)
    default: context.write(data, promise: promise)
    }
  }

  private func agree(_ head: inout HTTPResponseHead, _ request: Asked) {
    let isOld = (request.version.major, request.version.minor) < (1, 1)
    var isKept = request.isKept && head.headers["connection"].first?.lowercased() != "close"
    if isOld {
      head.version = .http1_0
      // Without chunks only the end of the connection says where an answer ends.
      if !head.headers.contains(name: "content-length") { isKept = false }
    }
    if !isKept {
      head.headers.replaceOrAdd(name: "connection", value: "close")
    } else if isOld {
      head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
    }
    closes = !isKept
  }
}

extension ChannelHandlerContext {
  /// Adds it where it sees what came over the wire.
  func addPersistence() throws {
    let pipeline = pipeline.syncOperations
    let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
    try pipeline.addHandler(Persistence(), position: .before(codec))
  }
}
