import HTTPTypes
import Hummingbird
import NIOCore
import RocBrowser
import RocServing

/// Turns problems into answers, counts them, and adds the headers that every answer has.
struct Answering: RouterMiddleware {
  let metrics: ServerMetrics
  let methods: KnownMethods
  /// Tells who runs the server what went wrong.
  let report: @Sendable (String) -> Void

  func handle(
    _ request: Request, context: RequestContext,
    next: (Request, RequestContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      response = try await next(request, context)
    } catch let problem as RequestProblem {
      response = Self.answer(problem)
    } catch let error as NoSuchPage {
      response = Self.answer(RequestProblem(.notFound, error.message))
    } catch let error as HTTPError where error.status == .notFound {
      response = notFound(request)
    } catch is ClientGone {
      metrics.count(request: context.endpointPath ?? "none", status: 499)
      throw ClientGone()
    } catch let trouble as ServerTrouble {
      response = failed(request, trouble)
    } catch is CancellationError {
      response = Self.answer(RequestProblem(.unavailable, "the server is stopping", retryAfter: 10))
    } catch let error as any HTTPResponseError {
      response = Self.answer(
        RequestProblem(.init(rawValue: error.status.code) ?? .failed, error.status.reasonPhrase))
    } catch {
      response = failed(request, error)
    }
    if response.status.code >= 400, request.headers[.accept]?.contains("text/html") == true,
      response.headers[.contentType] == "application/json", request.method == .get
    {
      response = Self.page(response)
    }
    // What is left of a body that was refused is not read.
    if response.status.code >= 400, ![.get, .head].contains(request.method) {
      response.headers[.connection] = "close"
    }
    let path = context.endpointPath ?? "none"
    if request.method == .head {
      // Its body is never written.
      metrics.count(request: path, status: response.status.code)
    } else {
      response.body = counting(response, path)
    }
    if response.headers[.contentSecurityPolicy] == nil {
      response.headers[.contentSecurityPolicy] =
        "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    }
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    return response
  }

  /// What is wrong here is for those who run the server, not for those who ask.
  private func failed(_ request: Request, _ error: any Error) -> Response {
    report("\(request.method.rawValue) \(request.uri.path): \(error)")
    return Self.answer(RequestProblem(.failed, "the server could not do this; see its log"))
  }

  /// There is no such address, or not with that method.
  private func notFound(_ request: Request) -> Response {
    guard let allowed = methods.allowed(request.uri.path) else {
      return Self.answer(RequestProblem(.notFound, "no such address"))
    }
    var response = Self.answer(
      RequestProblem(
        .methodNotAllowed, "\(request.method.rawValue) is not for this address, but \(allowed)"))
    response.headers[.allow] = allowed
    return response
  }

  /// A body whose end decides what is counted: its client may have gone meanwhile.
  private func counting(_ response: Response, _ path: String) -> ResponseBody {
    let (metrics, body, status) = (metrics, response.body, response.status.code)
    return ResponseBody(contentLength: body.contentLength) { writer in
      do {
        try await body.write(writer)
        metrics.count(request: path, status: status)
      } catch {
        metrics.count(request: path, status: 499)
        throw error
      }
    }
  }

  /// The same for people.
  private static func page(_ response: Response) -> Response {
    let code = response.status.code
    let text =
      switch code {
      case 401: "This server wants a token: add ?token=TOKEN to the address once."
      case 404: "There is no such page."
      default: response.status.reasonPhrase
      }
    let html = Layout.problem(code, text, places: [.datasets, .runs])
    var page = Response.text(
      html.text, type: "text/html; charset=utf-8", status: response.status)
    for field in response.headers
    where ![.contentType, .contentLength].contains(field.name) { page.headers.append(field) }
    return page
  }

  private static func answer(_ problem: RequestProblem) -> Response {
    var response = Response.json(problem.json, status: .init(code: problem.kind.rawValue))
    response.headers[.retryAfter] = problem.retryAfter.map(String.init)
    if problem.kind == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }
}

extension Response {
  /// A JSON text.
  static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    self.text(text, type: "application/json", status: status)
  }

  /// Text of a media type.
  static func text(
    _ text: String, type: String, status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}

extension HTTPField.Name {
  static let secFetchSite = named("Sec-Fetch-Site")
  static let secFetchMode = named("Sec-Fetch-Mode")
  static let secFetchDest = named("Sec-Fetch-Dest")
  static let referrerPolicy = named("Referrer-Policy")
  static let crossOriginResourcePolicy = named("Cross-Origin-Resource-Policy")

  private static func named(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no header") }
    return name
  }
}
