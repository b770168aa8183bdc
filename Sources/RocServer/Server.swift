import Hummingbird
import Logging
import NIOCore
package import RocBrowser
package import RocServing
import ServiceLifecycle
import UnixSignals

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
  /// - Throws: What keeps it from listening, and `CancellationError` when answers took too long to
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
        address: .hostname(settings.host, port: settings.port), serverName: nil),
      onServerRunning: { channel in started(channel.localAddress?.port ?? 0) },
      logger: logger)
    let model = model
    var configuration = ServiceGroupConfiguration(
      services: [.init(service: application), .init(service: Stopping { model?.queue.stop() })],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.secondsToStop)
    try await ServiceGroup(configuration: configuration).run()
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
    let reader = BodyReader(mostBytes: settings.mostBytes, seconds: settings.secondsToArrive)
    ScoringRoutes(model: model, reader: reader).add(to: router)
    StaticRoutes().add(to: router)
    if model != nil { addTryPage(to: router) }
    if let browser { BrowserRoutes(browser: browser).add(to: router) }
    methods.know(router.routes.map { ($0.path.description, $0.method) })
    return router
  }
}

/// Tells the queue to take nothing more as soon as the program is asked to stop.
private struct Stopping: Service {
  let stop: @Sendable () -> Void

  func run() async throws {
    try? await gracefulShutdown()
    stop()
  }
}
