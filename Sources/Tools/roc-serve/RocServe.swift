import ArgumentParser
import Dispatch
import RocBrowser
import RocEngineTool
import RocFiles
import RocModel
import RocServer
import RocServing
import RocStore
import RocTool
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@main
struct RocServe: RocCommand {
  static func main() { Program.main(Self.self) }

  static let configuration = CommandConfiguration(
    commandName: "roc-serve",
    abstract: "Score pictures over HTTP, and show datasets and runs in a browser.",
    discussion: """
      Examples:
        roc-serve --db roc.sqlite --checkpoint DIR
        curl -F file=@photo.jpg http://127.0.0.1:8080/api/roc4mllm
        curl -F file=@a.jpg -F file=@b.jpg http://127.0.0.1:8080/v1/score
      Without a checkpoint it only shows, without a database it only scores.
      /openapi.json describes all requests. Any other host than loopback needs a token; in
      $ROC_TOKEN other users of the machine do not see it. Ctrl-C stops: what has begun is
      finished, for 10 seconds at most.
      """,
    version: "roc \(Engine.version)")

  @Option(help: "A folder, or a Hub name in the local cache.")
  var checkpoint: String?

  @Option(help: "The database to show; else $ROC_DB, else roc.sqlite if it is there.")
  var db: String?

  @OptionGroup var settings: EngineSettings

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port; 0 takes a free one.")
  var port = 8080

  @Option(help: "What clients must show; else $ROC_TOKEN.")
  var token: String?

  @Option(help: "Pictures that may wait; more are refused.")
  var queue = 256

  @Option(help: "The largest request in MiB.")
  var maxBody = 64

  @Option(help: "Seconds for a request to arrive in.")
  var timeout = 60

  mutating func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port \(port): expected 0 to 65535.")
    }
    guard (1...100_000).contains(queue) else {
      throw ValidationError("--queue \(queue): expected 1 to 100000.")
    }
    guard (1...4096).contains(maxBody) else {
      throw ValidationError("--max-body \(maxBody): expected 1 to 4096.")
    }
    guard (1...3600).contains(timeout) else {
      throw ValidationError("--timeout \(timeout): expected 1 to 3600.")
    }
    if let token { try check(token, "--token") }
  }

  /// A token stands in headers and cookies.
  private func check(_ token: String, _ source: String) throws {
    let isPlain = token.utf8.allSatisfy {
      $0 > 0x20 && $0 < 0x7F && ![0x22, 0x2C, 0x3B, 0x5C].contains($0)
    }
    guard !token.isEmpty, isPlain else {
      throw ValidationError(
        "\(source): expected ASCII without blanks, quotes, commas, semicolons and backslashes.")
    }
  }

  func execute() throws -> ExitStatus {
    var server = Server.Settings()
    server.host = host
    server.port = port
    server.token = token ?? getenv("ROC_TOKEN").map { String(cString: $0) }
    if let token = server.token { try check(token, token == self.token ? "--token" : "ROC_TOKEN") }
    guard server.isLoopback || server.token != nil else {
      throw ValidationError(
        "--host \(host): others can connect, so clients must show a token; set $ROC_TOKEN or --token."
      )
    }
    server.mostBytes = maxBody << 20
    server.secondsToArrive = timeout
    let metrics = ServerMetrics()
    let browser = try databaseBrowser()
    guard checkpoint != nil || browser != nil else {
      throw ValidationError(
        "neither a checkpoint nor a database: name one with --checkpoint or --db.")
    }
    let model = try checkpoint.map { try servedModel($0, metrics) }
    browser?.warmUp()
    return try serve(
      Server(server, model: model, browser: browser, metrics: metrics) { Console.note($0) },
      at: server)
  }

  private func servedModel(_ checkpoint: String, _ metrics: ServerMetrics) throws -> ServedModel {
    let (engine, _, mode) = try settings.engine(checkpoint)
    var limits = ScoringQueue.Limits()
    limits.pictures = queue
    // Requests that come one by one leave gaps that only this fills.
    limits.ahead = max(settings.batchSize, 16)
    return ServedModel(
      name: checkpoint.split(separator: "/").last.map(String.init) ?? checkpoint, engine: engine,
      mode: mode, limits: limits, metrics: metrics)
  }

  /// The database that was named, or the one that lies here.
  private func databaseBrowser() throws -> Browser? {
    let named = db ?? getenv("ROC_DB").map { String(cString: $0) }
    guard named != nil || fileExists("roc.sqlite") else { return nil }
    let store = try Store(path: named ?? "roc.sqlite", creates: false, readOnly: true, readers: 6)
    return Browser(store, hasModel: checkpoint != nil)
  }

  private func serve(_ server: Server, at settings: Server.Settings) throws -> ExitStatus {
    let address = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    let result = Mutex<Result<Void, any Error>>(.success(()))
    let ended = DispatchSemaphore(value: 0)
    Task {
      do {
        try await server.run { port in
          Console.note(
            "listening on http://\(address):\(port)/"
              + (settings.token == nil ? "" : "; clients must show the token"))
        }
      } catch {
        result.withLock { $0 = .failure(error) }
      }
      ended.signal()
    }
    ended.wait()
    switch result.withLock({ $0 }) {
    case .success: Console.note("stopped")
    case .failure(is CancellationError):
      Console.note(
        "stopped; some answers were not finished within \(settings.secondsToStop) seconds")
    case .failure(let error as CannotListen):
      throw CommandError(
        .failed,
        error.isTaken
          ? """
          \(address):\(settings.port): another program listens there; name another port with \
          --port, or --port 0 for a free one
          """ : "\(address):\(settings.port): cannot listen: \(error.reason)")
    case .failure(let error): throw CommandError(.failed, "\(error)")
    }
    return .done
  }
}
