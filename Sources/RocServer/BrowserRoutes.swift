import Dispatch
import HTTPTypes
import Hummingbird
import NIOCore
import RocBrowser
import RocReport
import RocServing
import ServiceLifecycle

/// Pages about datasets and runs.
struct BrowserRoutes {
  let browser: Browser

  /// Queries wait for the disk: they have threads of their own.
  private static let queue = DispatchQueue(label: "roc.pages", attributes: .concurrent)
  private static let pages = WaitingRoom(4)
  /// Figures and files wait until what they show has been found; pages do not, and not for them.
  private static let files = WaitingRoom(4)

  func add(to router: Router<RequestContext>) {
    let browser = browser
    page(router, "/") { _, _ in try browser.datasetsPage() }
    page(router, "/datasets/:name") { try browser.datasetPage($0, $1) }
    page(router, "/datasets/:name/pictures") { try browser.galleryPage($0, $1) }
    page(router, "/datasets/:name/leaks") { try browser.leaksPage($0, $1) }
    page(router, "/datasets/:name/look-alikes") { try browser.lookAlikesPage($0, $1) }
    page(router, "/datasets/:name/set-aside") { try browser.setAsidePage($0, $1) }
    page(router, "/runs") { _, query in try browser.runsPage(query) }
    page(router, "/runs/:name") { try browser.runPage(try Self.number($0, "run"), $1) }
    page(router, "/compare") { _, query in try browser.comparePage(query) }
    page(router, "/pictures/:name") { try browser.samplePage(try Self.number($0), $1) }
    file(router, "/datasets/:name/scores.svg", .svg) { name, _ in
      Array(try browser.datasetFigure(name).utf8)
    }
    file(router, "/datasets/:name/pictures.csv", .csv) {
      Array(try browser.galleryCSV($0, $1).utf8)
    }
    file(router, "/pictures/:name/thumbnail", .jpeg, Self.pages) { name, _ in
      guard let bytes = try browser.thumbnail(sample: try Self.number(name)) else {
        throw NoSuchPage("There is no picture \(name) that can be read.")
      }
      return bytes
    }
    addRunFiles(to: router)
    let picture: @Sendable (String, Query) throws -> PictureBytes = { name, _ in
      try browser.picture(sample: try Self.number(name))
    }
    router.get("/pictures/:name/file") { request, context in
      let picture = try await Self.made(request, context, Self.pages, picture)
      return Response(
        status: .ok, headers: [.contentType: picture.type, .cacheControl: "private, max-age=60"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture.bytes)))
    }
  }

  private func addRunFiles(to router: Router<RequestContext>) {
    let browser = browser
    file(router, "/runs/:name/predictions.csv", .csv) {
      Array(try browser.predictionsCSV(try Self.number($0, "run"), $1).utf8)
    }
    file(router, "/runs/:name/points.json", .json) {
      Array(try browser.points(try Self.number($0, "run"), $1).utf8)
    }
    router.get("/runs/:name/figures/:file") { request, context in
      let (name, ending) = Self.split(context.parameters.get("file") ?? "")
      let figure = try await Self.made(request, context, Self.files) {
        try browser.figure(try Self.number($0, "run"), name, $1)
      }
      switch ending {
      case "svg": return Self.answer(Array(figure.svg.utf8), .svg)
      case "tex": return Self.answer(Array(figure.pgfplots.utf8), .tex)
      default: throw NoSuchPage("Figures are written as svg and tex.")
      }
    }
    router.get("/runs/:name/training/:file") { request, context in
      let (name, _) = Self.split(context.parameters.get("file") ?? "")
      let bytes = try await Self.made(request, context, Self.pages) { run, _ in
        try browser.trainingFigure(try Self.number(run, "run"), name)
      }
      return Self.answer(bytes, .svg)
    }
    router.get("/runs/:name/events") { request, context in
      try await events(request, context)
    }
  }

  /// How far a run is, every other second while somebody works on it.
  private func events(_ request: Request, _ context: RequestContext) async throws -> Response {
    let browser = browser
    let id = try Self.number(context.parameters.get("name") ?? "", "run")
    let connection = try await context.connection()
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream"],
      body: ResponseBody { writer in
        while !connection.isGone, !Task.isShuttingDownGracefully {
          let event = try await Self.waited(Self.pages) { try browser.progressEvent(id) }
          try await writer.write(ByteBuffer(string: event.text))
          if !event.isLive { break }
          try await Task.sleep(for: .seconds(2))
        }
        // Without an end of its own a browser would ask again.
        try await writer.write(ByteBuffer(string: "event: end\ndata: {}\n\n"))
        try await writer.finish(nil)
      })
  }

  /// A name and what follows its last point.
  private static func split(_ file: String) -> (name: String, ending: String) {
    guard let point = file.lastIndex(of: ".") else { return (file, "") }
    return (String(file[..<point]), String(file[file.index(after: point)...]))
  }

  private func page(
    _ router: Router<RequestContext>, _ path: RouterPath,
    _ make: @escaping @Sendable (String, Query) throws -> Page
  ) {
    let browser = browser
    router.get(path) { request, context in
      do {
        let query = Query(request.uri.query ?? "")
        let room = query["table"] == nil ? Self.pages : Self.files
        let page = try await Self.made(request, context, room, make)
        if let table = query["table"], let form = query["as"] {
          var response = Response.text(
            try page.file(table, as: form),
            type: form == "csv" ? FileType.csv.rawValue : "text/plain; charset=utf-8")
          let ending = form == "csv" ? "csv" : "tex"
          response.headers[.contentDisposition] = "attachment; filename=\"\(table).\(ending)\""
          return response
        }
        let html = Layout.document(page, places: browser.places)
        return Response.text(html.text, type: "text/html; charset=utf-8")
      } catch let error as NoSuchPage {
        let html = Layout.problem(404, error.message, places: browser.places)
        return Response.text(html.text, type: "text/html; charset=utf-8", status: .notFound)
      }
    }
  }

  private func file(
    _ router: Router<RequestContext>, _ path: RouterPath, _ type: FileType,
    _ room: WaitingRoom = Self.files, _ make: @escaping @Sendable (String, Query) throws -> [UInt8]
  ) {
    router.get(path) { request, context in
      Self.answer(try await Self.made(request, context, room, make), type)
    }
  }

  private static func answer(_ bytes: [UInt8], _ type: FileType) -> Response {
    var headers: HTTPFields = [.contentType: type.rawValue]
    if [.csv, .tex].contains(type) { headers[.contentDisposition] = "attachment" }
    if type == .svg { headers[.contentSecurityPolicy] = FileType.svgPolicy }
    if type == .jpeg { headers[.cacheControl] = "private, max-age=60" }
    return Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// What is sent beside pages.
  private enum FileType: String {
    case svg = "image/svg+xml"
    case csv = "text/csv; charset=utf-8"
    case jpeg = "image/jpeg"
    case json = "application/json"
    case tex = "text/plain; charset=utf-8"

    /// Figures have style sheets of their own and nothing else.
    static let svgPolicy = "default-src 'none'; style-src 'unsafe-inline'"
  }

  /// Makes something on a thread that may wait.
  private static func made<Value: Sendable>(
    _ request: Request, _ context: RequestContext, _ room: WaitingRoom,
    _ make: @escaping @Sendable (String, Query) throws -> Value
  ) async throws -> Value {
    let name = Query.decoded((context.parameters.get("name") ?? "")[...].utf8)
    let query = Query(request.uri.query ?? "")
    return try await waited(room) { try make(name, query) }
  }

  private static func waited<Value: Sendable>(
    _ room: WaitingRoom, _ make: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await room.enter()
    defer { room.leave() }
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try make() }) }
    }
  }

  private static func number(_ text: String, _ kind: String = "picture") throws -> Int64 {
    guard let number = Int64(text) else { throw NoSuchPage("There is no \(kind) \(text).") }
    return number
  }
}
