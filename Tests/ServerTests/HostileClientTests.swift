import Foundation
import RocJSON
import RocTestSupport
import Testing

/// Requests that nobody should send are refused with a clear status, and the server goes on.
struct HostileClientTests {
  private static let checkpoint = Fixture.path("tiny-f32")

  private static func picture() throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/black_30x30.png"))))
  }

  @Test func refusesWhatItCannotRead() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--max-body", "1"])
    let picture = try Self.picture()
    var field = FormBody()
    field.add("surprise", Array("x".utf8))
    let noEnd = Array(field.whole.dropLast(10))
    let json = "Content-Type: application/json"
    let large = [UInt8](repeating: 0x41, count: 1 << 20 + 1)
    let cases: [(what: String, headers: [String], body: [UInt8], status: Int, part: String)] = [
      ("no type", [], picture, 415, "found no type"),
      ("a form of a browser", ["Content-Type: text/plain"], picture, 415, "found text/plain"),
      ("broken JSON", [json], Array("{\"images\": [".utf8), 400, "line 1, column 13"),
      ("JSON that is no object", [json], Array("[1]".utf8), 400, "expected a JSON object"),
      ("no picture", [json], Array("{\"images\": []}".utf8), 400, "no picture"),
      ("no base64", [json], Array("{\"image\": \"*\"}".utf8), 400, "not base64"),
      ("an unknown field", [json], Array("{\"imagen\": 1}".utf8), 400, "imagen is not known"),
      (
        "a wrong number", [json], Array("{\"image\": \"AAAA\", \"decimals\": 99}".utf8), 400,
        "decimals: expected 0 to 17, found 99"
      ),
      (
        "a mark in the question", [json],
        Array("{\"image\": \"AAAA\", \"question\": \"<|image|>\"}".utf8), 200, "not_a_picture"
      ),
      ("a form without boundary", ["Content-Type: multipart/form-data"], picture, 400, "boundary"),
      ("a form without parts", [FormBody.header], picture, 400, "no part begins"),
      ("a form without end", [FormBody.header], noEnd, 400, "has no end"),
      ("an unknown part", [FormBody.header], field.whole, 400, "surprise is not known"),
      ("too much", ["Content-Type: image/png"], large, 413, "larger than 1048576 bytes"),
      ("another site", [json, "Origin: http://evil.example"], [], 403, "another site"),
      ("another site's page", [json, "Sec-Fetch-Site: cross-site"], [], 403, "another site"),
      ("another host", [json, "Host: evil.example"], [], 421, "evil.example"),
      ("a host with our name in it", [json, "Host: localhost.evil.example:80"], [], 421, "evil"),
    ]
    for (what, headers, body, status, part) in cases {
      let answer = try server.ask("POST", "/v1/score", headers: headers, body: body)
      #expect(answer.status == status, "\(what): \(answer.body)")
      #expect(answer.body.contains(part), "\(what): \(answer.body)")
    }
    // A body of unknown length is counted as it comes.
    let client = try HTTPClient(server.port)
    client.write(
      "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n200001\r\n")
    client.write([UInt8](repeating: 0x41, count: 0x200001))
    #expect(try client.read().status == 413)
    for text in [
      "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nbroken\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n",
    ] {
      let client = try HTTPClient(server.port)
      client.write(text)
      #expect(try client.read().status == 400, "\(text)")
    }
    for path in ["/../../etc/passwd", "/%2e%2e/etc/passwd", "/v1/score/..", "//etc/passwd"] {
      #expect(try server.ask("GET", path).status == 404, "\(path)")
    }
    #expect(try server.ask("/healthz").status == 200)
  }

  @Test func everyAnswerGuardsBrowsers() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    for path in ["/healthz", "/nothing"] {
      let headers = try server.ask(path).headers
      #expect(headers["content-security-policy"]?.contains("default-src 'self'") == true)
      #expect(headers["x-content-type-options"] == "nosniff")
      #expect(headers["access-control-allow-origin"] == nil)
    }
  }

  @Test func wantsItsToken() throws {
    let server = try RunningServer(
      ["--checkpoint", Self.checkpoint], environment: ["ROC_TOKEN": "secret"])
    let wrong = [
      [], ["Authorization: Bearer secre"], ["Authorization: Bearer secrets"],
      ["Authorization: Bearer "], ["Authorization: secret"], ["Cookie: roc_token=other"],
      ["Cookie: x=roc_token=secret"],
    ]
    for headers in wrong {
      let answer = try server.ask("GET", "/v1/models", headers: headers)
      #expect(answer.status == 401, "\(headers)")
      #expect(answer.headers["www-authenticate"] == "Bearer")
    }
    for headers in [["Authorization: Bearer secret"], ["Cookie: a=b; roc_token=secret"]] {
      #expect(try server.ask("GET", "/v1/models", headers: headers).status == 200)
    }
    // A browser gets a cookie, and an address without the token.
    let answer = try server.ask("GET", "/v1/models?token=secret")
    #expect(answer.status == 303 && answer.headers["location"] == "/v1/models")
    #expect(
      answer.headers["set-cookie"] == "roc_token=secret; HttpOnly; SameSite=Lax; Path=/")
    #expect(try server.ask("GET", "/v1/models?token=other").status == 401)
    // Probes tell nothing; other names of this machine are fine for who knows the token.
    #expect(try server.ask("/healthz").status == 200)
    let named = ["Authorization: Bearer secret", "Host: box.example"]
    #expect(try server.ask("GET", "/v1/models", headers: named).status == 200)
  }

  @Test(
    arguments: [
      (["--host", "0.0.0.0"], [:], "clients must show a token"),
      (["--token", "a b"], [:], "--token: expected ASCII"),
      ([], ["ROC_TOKEN": ""], "ROC_TOKEN: expected ASCII"),
      (["--port", "70000"], [:], "--port 70000"),
    ] as [([String], [String: String], String)])
  func doesNotStart(_ flags: [String], _ environment: [String: String], _ part: String) throws {
    let run = try CommandRun(
      "roc-serve", ["--checkpoint", Self.checkpoint] + flags, environment: environment)
    #expect(run.status == 64 && run.errors.contains(part), "\(run.errors)")
  }

  @Test func slowClientsAreSentAway() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--timeout", "1"])
    // A head that never ends, one byte at a time.
    let slow = try HTTPClient(server.port)
    DispatchQueue.global().async {
      for byte in "GET /healthz HTTP/1.1\r\nX: aaaaaaaaaaaaaaaa" {
        slow.write(String(byte))
        usleep(100_000)
      }
    }
    #expect(slow.isClosed())
    // A body that does not come.
    let body = try HTTPClient(server.port)
    body.write(
      "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        + "Content-Length: 1000\r\n\r\nabc")
    #expect(try body.read().status == 408)
    #expect(body.isClosed())
    #expect(try server.ask("/healthz").status == 200)
  }

  @Test func tellsWhichMethodsThereAre() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    for (method, path, allowed) in [
      ("GET", "/v1/score", "POST"), ("POST", "/healthz", "GET, HEAD"),
      ("DELETE", "/try", "GET, HEAD"), ("TRACE", "/v1/rewards", "POST"),
      ("QUERY", "/v1/models", "GET, HEAD"), ("PATCH", "/static/roc.css", "GET, HEAD"),
    ] {
      let answer = try server.ask(method, path)
      #expect(answer.status == 405 && answer.headers["allow"] == allowed, "\(method) \(path)")
      #expect(try answer.json()["error"]?["message"]?.string?.hasPrefix(method) == true)
    }
    #expect(try server.ask("GET", "/v1/nothing").status == 404)
    let head = try HTTPClient(server.port)
    try head.send("HEAD", "/v1/models", headers: ["Connection: close"])
    head.closeSending()
    let answer = try head.readHead()
    #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
    #expect(head.isClosed())
  }

  /// RFC 9112, section 9.3.
  @Test func keepsConnectionsAsTheirClientsAsk() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    let picture = try Self.picture()
    func ask(_ version: String, _ header: String, pictures: Int) throws -> (HTTPAnswer, Bool) {
      var form = FormBody()
      for place in 0..<pictures { form.add("file", fileName: "\(place)", picture) }
      let client = try HTTPClient(server.port)
      client.write(
        "POST /v1/score HTTP/\(version)\r\nHost: localhost\r\n\(FormBody.header)\r\n\(header)"
          + "Content-Length: \(form.whole.count)\r\n\r\n")
      client.write(form.whole)
      let head = try client.readHead()
      let body = head.headers["content-length"].flatMap { Int($0) }
      if let body {
        _ = try client.take(body)
        return (head, client.closes(within: 0.3))
      }
      guard head.headers["transfer-encoding"] == nil else { return (head, false) }
      return (head, client.readToEnd().split(separator: "\n").count == pictures)
    }
    for (version, header, connection, closes) in [
      ("1.0", "", "close", true), ("1.0", "Connection: Keep-Alive\r\n", "keep-alive", false),
      ("1.1", "", nil, false), ("1.1", "Connection: Close\r\n", "close", true),
    ] {
      let (head, closed) = try ask(version, header, pictures: 1)
      #expect(head.status == 200)
      #expect(head.headers["connection"] == connection && closed == closes, "\(version) \(header)")
    }
    // Lines that come one by one have no length, and an old client knows no chunks.
    let (old, isWhole) = try ask("1.0", "Connection: keep-alive\r\n", pictures: 3)
    #expect(old.headers["connection"] == "close" && old.headers["transfer-encoding"] == nil)
    #expect(isWhole)
    let (new, _) = try ask("1.1", "", pictures: 3)
    #expect(new.headers["transfer-encoding"] == "chunked")
  }

  /// A header that promises more pixels than anyone has memory for.
  @Test func refusesBombs() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    // 60000 x 60000 grey pixels, as a PNG.
    let huge =
      "iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAAAAACluSqeAAAACElEQVR4nAMAAAAAAUgGidIAAAAA"
      + "SUVORK5CYII="
    let answer = try server.ask(
      "POST", "/v1/score", headers: ["Content-Type: application/json"],
      body: Array("{\"image\": \"\(huge)\"}".utf8))
    #expect(answer.status == 200)
    let error = try answer.json()["error"]
    #expect(error?["code"] == "too_large", "\(answer.body)")
    #expect(try server.ask("/healthz").status == 200)
    #expect(server.residentMegabytes < 400)
  }

  @Test func saysWhenThereIsNoRoom() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--queue", "3000"])
    let picture = try Self.picture()
    var (large, small) = (FormBody(), FormBody())
    for place in 0..<3000 { large.add("file", fileName: "\(place)", picture) }
    for place in 0..<1000 { small.add("file", fileName: "\(place)", picture) }
    let first = try HTTPClient(server.port)
    try first.send("POST", "/v1/score", headers: [FormBody.header], body: large.whole)
    while try server.ask("/metrics").body.contains("roc_queue_pictures 0\n") { usleep(2000) }
    let second = try server.ask(
      "POST", "/v1/rewards", headers: [FormBody.header], body: small.whole)
    #expect(second.status == 429, "\(second.body)")
    #expect(Int(second.headers["retry-after"] ?? "").map { (1...600).contains($0) } == true)
    // What was taken before is not disturbed, and after it there is room again.
    #expect(try first.read().body.split(separator: "\n").count == 3000)
    let third = try server.ask(
      "POST", "/v1/rewards", headers: [FormBody.header], body: small.whole)
    #expect(third.status == 200)
    large.add("file", fileName: "one more", picture)
    let never = try server.ask(
      "POST", "/v1/rewards", headers: [FormBody.header], body: large.whole)
    #expect(never.status == 413 && never.body.contains("more than 3000 pictures"))
  }

  @Test func saysWhatAStopCutOff() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint])
    let client = try HTTPClient(server.port)
    client.write(
      "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        + "Content-Length: 1000\r\n\r\nabc")
    usleep(200_000)
    let start = Date()
    let (status, log) = server.stop()
    #expect(status == 0 && log.contains("some answers were not finished within 10 seconds"))
    #expect((9..<13).contains(Date().timeIntervalSince(start)))
  }

  @Test func boundsAllBodiesTogether() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--max-body", "64"])
    let piece = [UInt8](repeating: 0x41, count: 1 << 20)
    var clients: [HTTPClient] = []
    for _ in 0..<5 {
      let client = try HTTPClient(server.port)
      client.write(
        "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
          + "Content-Length: \(63 << 20)\r\n\r\n")
      for _ in 0..<60 { client.write(piece) }
      clients.append(client)
    }
    let last = try #require(clients.last)
    #expect(try last.read().status == 429)
    #expect(server.residentMegabytes < 700)
  }

  @Test func pagesOfOtherSitesMayOnlyLinkHere() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--token", "abc"])
    let cookie = "Cookie: roc_token=abc"
    func ask(_ fetch: [String]) throws -> Int {
      try server.ask("GET", "/try", headers: [cookie] + fetch).status
    }
    let cross = "Sec-Fetch-Site: cross-site"
    #expect(
      try ask([cross, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]) == 200)
    #expect(try ask([cross, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"]) == 403)
    #expect(try ask([cross, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"]) == 403)
    #expect(try ask(["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"]) == 200)
    // The token leaves the address; the rest of it stays, and no other host can be named.
    let moved = try server.ask("//evil.example/try?sort=-score&token=abc")
    #expect(moved.status == 303 && moved.headers["location"] == "/evil.example/try?sort=-score")
    #expect(moved.headers["set-cookie"]?.contains("HttpOnly; SameSite=Lax") == true)
  }

  @Test func clientsThatGoFreeTheirPlaces() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--queue", "5000"])
    let picture = try Self.picture()
    var form = FormBody()
    for place in 0..<4000 { form.add("file", fileName: "\(place)", picture) }
    // One that says that it sends nothing more, and one that is gone.
    let half = try HTTPClient(server.port)
    try half.send("POST", "/v1/rewards", headers: [FormBody.header], body: form.whole)
    half.closeSending()
    do {
      let gone = try HTTPClient(server.port)
      try gone.send("POST", "/v1/rewards", headers: [FormBody.header], body: form.whole)
    }
    var metrics = ""
    for _ in 0..<1200 {
      metrics = try server.ask("/metrics").body
      if metrics.contains("status=\"499\"} 2\n"), metrics.contains("roc_queue_pictures 0\n") {
        break
      }
      usleep(50_000)
    }
    #expect(
      metrics.contains("roc_requests_total{path=\"/v1/rewards\",status=\"499\"} 2\n"), "\(metrics)")
    #expect(metrics.contains("roc_queue_pictures 0\n"))
    #expect(metrics.contains("roc_pictures_total{outcome=\"abandoned\"}"))
    #expect(
      try server.ask(
        "POST", "/v1/rewards", headers: ["Content-Type: image/png"], body: picture
      ).status == 200)
  }

  @Test func asksForLargeBodiesBeforeTheyAreSent() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--max-body", "1"])
    let picture = try Self.picture()
    let client = try HTTPClient(server.port)
    try client.send(
      "POST", "/v1/rewards",
      headers: [
        "Content-Type: image/png", "Expect: 100-continue", "Content-Length: \(picture.count)",
      ])
    client.write(picture)
    #expect(try client.read().status == 200)
    let large = try HTTPClient(server.port)
    try large.send(
      "POST", "/v1/rewards",
      headers: ["Content-Type: image/png", "Expect: 100-continue", "Content-Length: 2000000"])
    #expect(try large.read().status == 413)
  }

  @Test func finishesWhatItHasBegun() throws {
    let server = try RunningServer(["--checkpoint", Self.checkpoint, "--queue", "5000"])
    let picture = try Self.picture()
    var form = FormBody()
    for place in 0..<500 { form.add("file", fileName: "\(place)", picture) }
    let client = try HTTPClient(server.port)
    try client.send("POST", "/v1/rewards", headers: [FormBody.header], body: form.whole)
    while !(try server.ask("/metrics").body.contains("outcome=\"scored\"")) {}
    let (status, log) = server.stop()
    let answer = try client.read()
    #expect(try answer.json().array?.count == 500)
    #expect(status == 0 && log.hasSuffix("stopped\n"), "\(log)")
  }
}
