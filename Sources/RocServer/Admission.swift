import HTTPTypes
import Hummingbird
import RocBrowser
import RocServing

/// Lets in who may come in: on loopback only requests that were meant for it, elsewhere only those
/// that show the token.
struct Admission: RouterMiddleware {
  let settings: Server.Settings

  /// Names that loopback goes by.
  ///
  /// Another name in `Host` means that a stranger's page has led a browser here (DNS rebinding).
  private static let loopback = ["127.0.0.1", "localhost", "[::1]"]

  /// For probes that know no token; they tell nothing.
  private static let open = ["/healthz", "/readyz"]

  func handle(
    _ request: Request, context: RequestContext,
    next: (Request, RequestContext) async throws -> Response
  ) async throws -> Response {
    let host = request.head.authority ?? ""
    if settings.token == nil, !Self.loopback.contains(Self.name(host)) {
      throw RequestProblem(
        .misdirected, "this server is asked for by the name of this machine, not by \(host)")
    }
    // A page of another site may send forms here and ask for pictures, but it has no business to;
    // a link to a page is all that it may have.
    let site = request.headers[.secFetchSite]
    if request.method == .get || request.method == .head {
      let isLink =
        request.headers[.secFetchMode] == "navigate"
        && request.headers[.secFetchDest] == "document"
      guard site != "cross-site" || isLink else {
        throw RequestProblem(.forbidden, "a page of another site cannot send requests here")
      }
    } else {
      let origin = request.headers[.origin]
      let isOwn = origin.map { $0 == "http://\(host)" || $0 == "https://\(host)" } ?? true
      guard isOwn, site != "cross-site", site != "same-site" else {
        throw RequestProblem(.forbidden, "a page of another site cannot send requests here")
      }
    }
    guard let token = settings.token, !Self.open.contains(request.uri.path) else {
      return try await next(request, context)
    }
    if let shown = request.uri.queryParameters["token"], request.method == .get {
      guard Self.isEqual(String(shown), token) else { throw Self.wrongToken }
      // The address is kept by browsers; the token should not stand in it.
      return Response(
        status: .seeOther,
        headers: [
          .location: Self.withoutToken(request),
          // Links from other sites must work; what they may not do is refused above.
          .setCookie: "roc_token=\(token); HttpOnly; SameSite=Lax; Path=/",
        ])
    }
    guard Self.shown(request).contains(where: { Self.isEqual($0, token) }) else {
      throw Self.wrongToken
    }
    return try await next(request, context)
  }

  /// The same address without the token; one slash at its start, or it would be another host.
  private static func withoutToken(_ request: Request) -> String {
    "/" + request.uri.path.drop { $0 == "/" }
      + Query(request.uri.query ?? "").with("token", nil).text
  }

  private static let wrongToken = RequestProblem(
    .unauthorized, "the token is missing or wrong: send Authorization: Bearer TOKEN")

  /// The tokens of a request.
  private static func shown(_ request: Request) -> [String] {
    var result: [String] = []
    if let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") {
      result.append(String(header.dropFirst(7)))
    }
    for cookie in (request.headers[.cookie] ?? "").split(separator: ";") {
      let parts = cookie.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      if parts.count == 2, parts[0] == "roc_token" { result.append(String(parts[1])) }
    }
    return result
  }

  /// In a time that does not tell how much of it is right.
  private static func isEqual(_ shown: String, _ token: String) -> Bool {
    let (a, b) = (Array(shown.utf8), Array(token.utf8))
    var difference = a.count ^ b.count
    for place in a.indices {
      difference |= Int(a[place] ^ b[b.isEmpty ? 0 : place % max(b.count, 1)])
    }
    return difference == 0
  }

  /// A host without its port.
  private static func name(_ host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
    return String(host.prefix { $0 != ":" }).lowercased()
  }
}
