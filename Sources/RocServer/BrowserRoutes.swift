import Dispatch
import HTTPTypes
import Hummingbird
import NIOCore
import RocBrowser
import RocServing

/// Pages about datasets and runs.
struct BrowserRoutes {
  let browser: Browser

  /// Queries wait for the disk: they have threads of their own.
  private static let queue = DispatchQueue(label: "roc.pages", attributes: .concurrent)
  /// Pages that are made at the same time.
  private static let room = DispatchSemaphore(value: 4)

  func add(to router: Router<RequestContext>) {
    let browser = browser
    page(router, "/") { _, _ in try browser.datasetsPage() }
    page(router, "/datasets/:name") { name, _ in try browser.datasetPage(name) }
    page(router, "/datasets/:name/pictures") { try browser.galleryPage($0, $1) }
    page(router, "/datasets/:name/set-aside") { name, _ in try browser.setAsidePage(name) }
    page(router, "/pictures/:name") { try browser.samplePage(try Self.number($0), $1) }
    file(router, "/datasets/:name/scores.svg", .svg) { name, _ in
      Array(try browser.datasetFigure(name).utf8)
    }
    file(router, "/datasets/:name/pictures.csv", .csv) {
      Array(try browser.galleryCSV($0, $1).utf8)
    }
    file(router, "/datasets/:name/set-aside.csv", .csv) { name, _ in
      Array(try browser.setAsideCSV(name).utf8)
    }
    file(router, "/pictures/:name/thumbnail", .jpeg) { name, _ in
      guard let bytes = try browser.thumbnail(sample: try Self.number(name)) else {
        throw NoSuchPage("There is no picture \(name) that can be read.")
      }
      return bytes
    }
    let picture: @Sendable (String, Query) throws -> PictureBytes = { name, _ in
      try browser.picture(sample: try Self.number(name))
    }
    router.get("/pictures/:name/file") { request, context in
      let picture = try await Self.made(request, context, picture)
      return Response(
        status: .ok, headers: [.contentType: picture.type, .cacheControl: "private, max-age=60"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture.bytes)))
    }
  }

  private func page(
    _ router: Router<RequestContext>, _ path: RouterPath,
    _ make: @escaping @Sendable (String, Query) throws -> HTML
  ) {
    let browser = browser
    router.get(path) { request, context in
      do {
        let html = try await Self.made(request, context, make)
        return Response.text(html.text, type: "text/html; charset=utf-8")
      } catch let error as NoSuchPage {
        let html = Layout.problem(404, error.message, places: browser.places)
        return Response.text(html.text, type: "text/html; charset=utf-8", status: .notFound)
      }
    }
  }

  private func file(
    _ router: Router<RequestContext>, _ path: RouterPath, _ type: FileType,
    _ make: @escaping @Sendable (String, Query) throws -> [UInt8]
  ) {
    router.get(path) { request, context in
      let bytes = try await Self.made(request, context, make)
      var headers: HTTPFields = [.contentType: type.rawValue]
      // An address without a name would be saved under the last part of its path.
      if type == .csv { headers[.contentDisposition] = "attachment" }
      if type == .svg { headers[.contentSecurityPolicy] = FileType.svgPolicy }
      if type == .jpeg { headers[.cacheControl] = "private, max-age=60" }
      return Response(
        status: .ok, headers: headers,
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
  }

  /// What is sent beside pages.
  private enum FileType: String {
    case svg = "image/svg+xml"
    case csv = "text/csv; charset=utf-8"
    case jpeg = "image/jpeg"

    /// Figures have style sheets of their own and nothing else.
    static let svgPolicy = "default-src 'none'; style-src 'unsafe-inline'"
  }

  /// Makes something on a thread that may wait.
  private static func made<Value: Sendable>(
    _ request: Request, _ context: RequestContext,
    _ make: @escaping @Sendable (String, Query) throws -> Value
  ) async throws -> Value {
    let name = Query.decoded((context.parameters.get("name") ?? "")[...].utf8)
    let query = Query(request.uri.query ?? "")
    return try await withCheckedThrowingContinuation { continuation in
      queue.async {
        room.wait()
        defer { room.signal() }
        continuation.resume(with: Result { try make(name, query) })
      }
    }
  }

  private static func number(_ text: String) throws -> Int64 {
    guard let number = Int64(text) else { throw NoSuchPage("There is no picture \(text).") }
    return number
  }
}
