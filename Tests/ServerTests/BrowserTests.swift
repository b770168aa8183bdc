import Foundation
import RocTestSupport
import Testing

/// Pages about a database.
struct BrowserTests {
  /// Twelve pictures, of which one is missing, with names that would be markup.
  private static func server() throws -> (RunningServer, TemporaryFolder) {
    let folder = try TemporaryFolder()
    var lines = ["image,gt_score"]
    let pictures = try FileManager.default.contentsOfDirectory(atPath: Fixture.path("images"))
      .filter { $0.hasSuffix(".jpg") }.sorted().prefix(11)
    for (place, name) in pictures.enumerated() {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/pictures", withIntermediateDirectories: true)
      let own = place == 0 ? "<b>&\"quoted\".jpg" : name
      try FileManager.default.copyItem(
        atPath: "\(Fixture.path("images"))/\(name)", toPath: "\(folder.path)/pictures/\(own)")
      lines.append("\"\(own.replacingOccurrences(of: "\"", with: "\"\""))\",\(place + 1).5")
    }
    lines.append("gone.jpg,3.25")
    try folder.write(lines.joined(separator: "\n") + "\n", to: "labels.csv")
    let run = try CommandRun(
      "roc-data",
      [
        "import", "table", "--source", "\(folder.path)/labels.csv", "--name", "album", "--images",
        "\(folder.path)/pictures", "--db", "\(folder.path)/a.sqlite",
      ])
    try #require(run.status == 0, "\(run.errors)")
    return (try RunningServer(["--db", "\(folder.path)/a.sqlite"]), folder)
  }

  @Test func showsDatasetsAndPictures() throws {
    let (server, folder) = try Self.server()
    defer { withExtendedLifetime(folder) {} }
    let start = try server.ask("/")
    #expect(start.headers["content-type"] == "text/html; charset=utf-8")
    #expect(start.body.contains("href=\"/datasets/album\""))
    let dataset = try server.ask("/datasets/album").body
    #expect(dataset.contains("?state=missing\">missing</a></td><td class=\"n\">1</td>"))
    let gallery = try server.ask("/datasets/album/pictures?sort=-score").body
    let scores = gallery.matches(of: /<b>([\d.]+)<\/b>/).map { Double($0.1) ?? 0 }
    #expect(scores.count == 12 && scores == scores.sorted(by: >))
    // A name is text, wherever it stands.
    #expect(gallery.contains("&lt;b&gt;&amp;&quot;quoted&quot;.jpg") && !gallery.contains("<b>&"))
    let filtered = try server.ask("/datasets/album/pictures?low=3&high=5&sort=score").body
    #expect(filtered.contains("3 of 12 pictures"))
    let found = try server.ask("/datasets/album/pictures.csv?text=%3Cb%3E").body
    #expect(found == "image,gt_score,vote_std,state\n\"<b>&\"\"quoted\"\".jpg\",1.5,,found\n")
    let missing = try server.ask("/datasets/album/pictures.csv?state=missing").body
    #expect(missing.hasSuffix("\ngone.jpg,3.25,,missing\n"))

    let number = try #require(gallery.firstMatch(of: /\/pictures\/(\d+)\/thumbnail/)?.1)
    #expect(try server.ask("/pictures/\(number)/thumbnail").headers["content-type"] == "image/jpeg")
    #expect(try server.ask("/pictures/\(number)/file").headers["content-type"] == "image/jpeg")
    let page = try server.ask("/pictures/\(number)?sort=-score").body
    #expect(page.contains("1 of 12") && page.contains("rel=\"next\""))
    #expect(page.contains("gt_score 11.500"))
  }

  @Test func tellsWhatIsNotThere() throws {
    let (server, folder) = try Self.server()
    defer { withExtendedLifetime(folder) {} }
    for path in [
      "/datasets/other", "/datasets/%2e%2e", "/pictures/99999", "/pictures/x",
      "/pictures/99999/thumbnail", "/pictures/99999/file", "/datasets/other/pictures.csv",
      "/pictures/..%2f..%2fetc%2fpasswd/file", "/static/../Package.swift",
    ] {
      #expect(try server.ask(path).status == 404, "\(path)")
    }
    // What nobody understands counts as not said.
    let odd = try server.ask(
      "/datasets/album/pictures?sort=-attribute:none&low=x&from=-5&state=%00&split=a%2Fb&theme=c")
    #expect(odd.status == 200 && odd.body.contains("12 pictures"))
    let none = try server.ask("/datasets/album/pictures?low=9&high=3")
    #expect(none.status == 200 && none.body.contains("0 of 12 pictures"))
    // People get a page, programs get JSON.
    let page = try server.ask("GET", "/nosuch", headers: ["Accept: text/html,*/*"])
    #expect(page.status == 404 && page.body.hasPrefix("<!doctype html>"))
    #expect(page.headers["content-type"] == "text/html; charset=utf-8")
    #expect(try server.ask("/nosuch").headers["content-type"] == "application/json")
    // Without a model there are no scores.
    let answer = try server.ask(
      "POST", "/v1/score", headers: ["Content-Type: image/png"], body: [1])
    #expect(answer.status == 503 && answer.body.contains("--checkpoint"))
    #expect(try server.ask("/v1/models").body == "{\"object\": \"list\", \"data\": []}\n")
  }

  @Test func servesItsOwnFiles() throws {
    let (server, folder) = try Self.server()
    defer { withExtendedLifetime(folder) {} }
    let page = try server.ask("/").body
    #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("style=\""))
    for name in ["roc.css", "roc.js", "roc.svg"] {
      #expect(page.contains("/static/\(name)"))
      let file = try server.ask("/static/\(name)")
      let tag = try #require(file.headers["etag"])
      #expect(file.status == 200)
      let again = try server.ask("GET", "/static/\(name)", headers: ["If-None-Match: \(tag)"])
      #expect(again.status == 304 && again.body.isEmpty)
    }
  }
}
