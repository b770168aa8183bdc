import RocModel
import RocServing
import Testing

/// What clients send is read as they meant it, or refused with the reason.
struct RequestTests {
  private static let defaults = ScoreRequest.Defaults(
    asked: Asked(mode: .scoreTokens(question: "How good is it?"), decimals: 4),
    hasScoreTokens: true)

  private static func form(_ text: String, boundary: String = "x") throws -> [MultipartForm.Part] {
    try MultipartForm(
      Array(text.utf8), contentType: "multipart/form-data; boundary=\(boundary)"
    ).parts
  }

  @Test func readsForms() throws {
    let parts = try Self.form(
      """
      a preamble\r
      --x\r
      Content-Disposition: form-data; name="file"; filename="a \\"b\\"; c.jpg"\r
      Content-Type: image/jpeg\r
      \r
      first\r
      line\r
      --x\r
      content-disposition:form-data;name=question\r
      \r
      \r
      --x\r
      Content-Disposition: form-data; name="empty"\r
      \r
      --x--\r
      an epilogue
      """)
    #expect(parts.map(\.name) == ["file", "question", "empty"])
    #expect(parts.map(\.fileName) == ["a \"b\"; c.jpg", nil, nil])
    #expect(parts.map(\.text) == ["first\r\nline", "", ""])
    // A boundary within a part is content unless it begins a line.
    let inner = try Self.form(
      "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1--x2\n--x\r\n--x--")
    #expect(inner.map(\.text) == ["1--x2\n--x"])
    let other = try Self.form(
      "--x \t\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''a%20%C3%A4.jpg\r\n\r\n1"
        + "\r\n--x--")
    #expect(other.map(\.fileName) == ["a ä.jpg"])
    let quoted = try MultipartForm(
      Array("--a b\r\nContent-Disposition: form-data; name=n\r\n\r\nv\r\n--a b--".utf8),
      contentType: "multipart/form-data; charset=utf-8; Boundary=\"a b\"")
    #expect(quoted.parts.map(\.text) == ["v"])
  }

  @Test(arguments: [
    ("", "no part begins"), ("--y\r\n", "no part begins"), ("--x", "no line end"),
    ("--x\r\n", "headers have no end"), ("--xy\r\n\r\n\r\n--x--", "no line end"),
    ("--x\r\nbroken\r\n\r\n1\r\n--x--", "without a colon"),
    ("--x\r\nContent-Type: a\r\n\r\n1\r\n--x--", "has no name"),
    ("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "has no end"),
    ("--x\r\nA: \(String(repeating: "a", count: 9000))\r\n\r\n\r\n--x--", "headers have no end"),
  ])
  func refusesBrokenForms(_ text: String, _ part: String) {
    #expect {
      try Self.form(text)
    } throws: { error in
      (error as? RequestProblem)?.kind == .badRequest
        && (error as? RequestProblem)?.message.contains(part) == true
    }
  }

  @Test func readsEveryPlaceWhereAFormCanBeCut() {
    let whole =
      "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n12\r\n--x--"
    for count in 0..<whole.utf8.count - 2 {
      let part = String(decoding: whole.utf8.prefix(count), as: UTF8.self)
      #expect(throws: RequestProblem.self) { try Self.form(part) }
    }
  }

  @Test func refusesFieldsThatStandTwice() {
    let field = "--x\r\nContent-Disposition: form-data; name=question\r\n\r\na\r\n"
    #expect {
      try ScoreRequest(
        Array("\(field)\(field)--x--".utf8), contentType: "multipart/form-data; boundary=x",
        Self.defaults)
    } throws: { error in
      (error as? RequestProblem)?.message == "question is given twice"
    }
  }

  @Test func decodesBase64() {
    // RFC 4648, section 10.
    for (text, plain) in [
      ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"),
      ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"), ("Zg", "f"), ("Zm8", "fo"),
      ("Zm9v\r\n YmFy\n", "foobar"),
    ] {
      #expect(Base64.decode(text[...].utf8) == Array(plain.utf8), "\(text)")
    }
    #expect(Base64.decode("+/-_"[...].utf8) == [0xFB, 0xFF, 0xBF])
    for text in ["Z", "Zg=", "Zg===", "Z=g=", "Zm9v=", "Zm9v====", "Zg==Zg==", "=", "Zä==", "Zm.v"]
    {
      #expect(Base64.decode(text[...].utf8) == nil, "\(text)")
    }
  }

  @Test func readsJSON() throws {
    func read(_ text: String) throws -> ScoreRequest {
      try ScoreRequest(
        Array(text.utf8), contentType: "application/json; charset=utf-8", Self.defaults)
    }
    let request = try read(
      """
      {"image": "Zg==", "images": ["data:image/png;base64,Zm8=", {"name": "c", "data": "Zm9v"}],
       "decimals": 2, "question": null, "scoring": "roc"}
      """)
    #expect(request.pictures.map(\.name) == ["picture 1", "picture 2", "c"])
    #expect(request.pictures.map(\.bytes.count) == [1, 2, 3])
    #expect(request.asked.decimals == 2)
    for (text, part) in [
      ("{", "not JSON"), ("[]", "expected a JSON object, found an array"), ("{}", "no picture"),
      ("{\"images\": []}", "no picture"),
      ("{\"image\": \"\", \"image\": \"\"}", "image is given twice"),
      ("{\"images\": \"Zg==\"}", "expected an array"),
      ("{\"image\": \"Z\"}", "picture 1: not base64"), ("{\"image\": 1}", "expected base64 text"),
      ("{\"image\": {\"data\": \"\", \"name\": {}}}", "name: expected a text, found an object"),
      ("{\"image\": {\"data\": \"\", \"file\": \"a\"}}", "file is not known"),
      ("{\"image\": {\"name\": \"a\"}}", "a: expected base64 text"),
      ("{\"image\": \"data:image/png,x\"}", "not base64"),
      ("{\"image\": \"Zg==\", \"decimals\": 18}", "expected 0 to 17, found 18"),
      ("{\"image\": \"Zg==\", \"decimals\": \"2\"}", "decimals"),
      ("{\"image\": \"Zg==\", \"questoin\": \"a\"}", "questoin is not known"),
      ("{\"image\": \"Zg==\", \"question\": \"\"}", "expected 1 to 1024 characters"),
      ("{\"image\": \"Zg==\", \"scoring\": \"best\"}", "expected roc or levels, found best"),
      ("{\"image\": \"Zg==\", \"scoring\": \"levels\", \"question\": \"a\"}", "of their own"),
    ] {
      #expect {
        try read(text)
      } throws: { error in
        (error as? RequestProblem)?.message.contains(part) == true
      }
    }
  }
}
