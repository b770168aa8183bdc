import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
package import RocBrowser
package import RocServing
import ServiceLifecycle
import Synchronization
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The HTTP server.
package struct Server: Sendable {
  /// Where and how it listens.
  package struct Settings: Sendable {
    package var host = "127.0.0.1"
    /// 0 lets the system choose.
    package var port = 8080
    /// What clients must show; nil on loopback only.
    package var token: String?
    /// Bytes of a request's body.
    package var mostBytes = 64 << 20
    /// Seconds for a request to arrive in.
    package var secondsToArrive = 60
    /// Seconds that a stop waits for answers.
    package var secondsToStop = 10
    /// Connections that are open at the same time; others wait to be accepted.
    package var mostConnections = 1024

    package init() {}

    /// Whether nobody from another machine can connect.
    package var isLoopback: Bool { ["127.0.0.1", "::1", "localhost"].contains(host) }
  }

  private let settings: Settings
  private let model: ServedModel?
  private let browser: Browser?
  private let metrics: ServerMetrics
  private let report: @Sendable (String) -> Void

  /// - Parameters:
  ///   - settings: Where it listens.
  ///   - model: What scores; nil when nothing does.
  ///   - browser: What shows datasets and runs; nil without a database.
  ///   - metrics: Counts and times.
  ///   - report: Gets what went wrong here, for those who run the server.
  package init(
    _ settings: Settings, model: ServedModel?, browser: Browser?, metrics: ServerMetrics,
    report: @escaping @Sendable (String) -> Void
  ) {
    self.settings = settings
    self.model = model
    self.browser = browser
    self.metrics = metrics
    self.report = report
  }

  /// Serves until the program is asked to stop (SIGINT, SIGTERM), then finishes what it has begun.
  ///
  /// - Parameter started: Gets the port.
  /// - Throws: `CannotListen`, and `CancellationError` when answers took too long to
  ///   finish.
  package func run(started: @escaping @Sendable (Int) -> Void) async throws {
    var logger = Logger(label: "roc-serve")
    logger.logLevel = .error
    let application = Application(
      router: router(),
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [
            ConnectionHandler(seconds: settings.secondsToArrive, mostBytes: settings.mostBytes)
          ],
          // A body that is too slow is answered before its connection is cut.
          idleTimeout: .seconds(Int64(settings.secondsToArrive) + 5),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(settings.host, port: settings.port), serverName: nil,
        availableConnectionsDelegate: MaximumAvailableConnections(settings.mostConnections)),
      onServerRunning: { channel in started(channel.localAddress?.port ?? 0) },
      logger: logger)
    let model = model
    let stopped = Instants()
    var configuration = ServiceGroupConfiguration(
      services: [
        .init(service: application),
        .init(
          service: Stopping {
            stopped.set(.now)
            model?.queue.stop()
          }),
      ],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.secondsToStop)
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as IOError {
      throw CannotListen(isTaken: error.errnoCode == EADDRINUSE, reason: "\(error)")
    }
    // Past its time the group cuts off what is left, and says nothing.
    if let start = stopped.value,
      ContinuousClock.now - start >= .seconds(settings.secondsToStop) - .milliseconds(100)
    {
      throw CancellationError()
    }
  }

  /// Without a database it is the only page.
  private func addTryPage(to router: Router<RequestContext>) {
    let html = Layout.document(TryPage.page, places: browser?.places ?? [.tryIt]).text
    for path in ["/try"] + (browser == nil ? ["/"] : []) {
      router.get(RouterPath(path)) { _, _ in
        Response.text(html, type: "text/html; charset=utf-8")
      }
    }
  }

  private func router() -> Router<RequestContext> {
    let router = Router(context: RequestContext.self, options: .autoGenerateHeadEndpoints)
    let methods = KnownMethods()
    router.add(middleware: Answering(metrics: metrics, methods: methods, report: report))
    router.add(middleware: Admission(settings: settings))
    StatusRoutes(model: model, metrics: metrics, mostBytes: settings.mostBytes).add(to: router)
    let reader = BodyReader(
      mostBytes: settings.mostBytes, seconds: settings.secondsToArrive,
      room: ByteRoom(max(4 * settings.mostBytes, 256 << 20)))
    ScoringRoutes(model: model, reader: reader).add(to: router)
    StaticRoutes().add(to: router)
    if model != nil { addTryPage(to: router) }
    if let browser { BrowserRoutes(browser: browser).add(to: router) }
    methods.know(router.routes.map { ($0.path.description, $0.method) })
    return router
  }
}

/// Why a server did not start.
package struct CannotListen: Error {
  /// Another program listens there.
  package let isTaken: Bool
  package let reason: String
}

/// When something happened.
private final class Instants: Sendable {
  private let instant = Mutex<ContinuousClock.Instant?>(nil)

  var value: ContinuousClock.Instant? { instant.withLock { $0 } }

  func set(_ value: ContinuousClock.Instant) { instant.withLock { $0 = value } }
}

/// Tells the queue to take nothing more as soon as the program is asked to stop.
private struct Stopping: Service {
  let stop: @Sendable () -> Void

  func run() async throws {
    try? await gracefulShutdown()
    stop()
  }
}
