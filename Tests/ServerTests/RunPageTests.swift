import Foundation
import RocJSON
import RocStore
import RocTestSupport
import Testing

/// Pages about runs, whose names are markup, LaTeX and formulas.
struct RunPageTests {
  private static let name = "<b>\\input{x} & \"q\""

  /// Twenty pictures of which two parts share two, and two runs of a checkpoint with a hostile name.
  private struct Site {
    let folder = Result { try TemporaryFolder() }
    let server: RunningServer
    let path: String

    init() throws {
      path = try folder.get().path
      let files = FileManager.default
      try files.createDirectory(atPath: "\(path)/images", withIntermediateDirectories: true)
      let made = try CommandRun(
        "roc-data", ["demo", "--output", "\(path)/demo", "--images", "20"])
      try #require(made.status == 0, "\(made.errors)")
      let pictures = try files.contentsOfDirectory(atPath: "\(path)/demo/images").sorted()
      var lines = ["image,gt_score"]
      for (place, picture) in pictures.enumerated() {
        // The last two show what the first two show.
        let source = pictures[place < 18 ? place : place - 18]
        try files.copyItem(
          atPath: "\(path)/demo/images/\(source)", toPath: "\(path)/images/\(picture)")
        lines.append("\(picture),\(Double(place) / 4)")
      }
      try Data(lines.joined(separator: "\n").utf8).write(
        to: URL(fileURLWithPath: "\(path)/labels.csv"))
      for (part, names) in [("train", pictures.prefix(10)), ("test", pictures.suffix(10))] {
        try Data(names.joined(separator: "\n").utf8).write(
          to: URL(fileURLWithPath: "\(path)/\(part).txt"))
      }
      let checkpoint = "\(path)/\(RunPageTests.name)"
      try files.copyItem(
        atPath: "\(Fixture.repository)/Examples/demo-checkpoint", toPath: checkpoint)
      let database = ["--db", "\(path)/a.sqlite"]
      func run(_ command: String, _ arguments: [String]) throws {
        let run = try CommandRun(command, arguments + database)
        try #require(run.status == 0, "\(command): \(run.errors)")
      }
      try run(
        "roc-data",
        [
          "import", "table", "--source", "\(path)/labels.csv", "--name", "album", "--images",
          "\(path)/images",
        ])
      try run(
        "roc-data",
        [
          "add-split", "album", "mine", "--train", "\(path)/train.txt", "--test",
          "\(path)/test.txt",
        ])
      try run("roc-data", ["verify-images", "album"])
      for precision in ["f32", "int8"] {
        try run(
          "roc-eval",
          [
            "--checkpoint", checkpoint, "--precision", precision, "--dataset", "album", "--split",
            "mine/test",
          ])
      }
      server = try RunningServer(database)
    }

    /// A page once it has everything.
    func page(_ path: String) throws -> String {
      for _ in 0..<400 {
        let answer = try server.ask(path)
        #expect(answer.status == 200, "\(path)")
        if !answer.body.contains("data-waits") { return answer.body }
        usleep(25_000)
      }
      throw RunningServer.Failure(text: "\(path) waits")
    }
  }

  @Test func showsRunsWhateverTheirNames() throws {
    let site = try Site()
    for path in ["/runs", "/runs/1", "/compare?a=1&b=2", "/pictures/15"] {
      let page = try site.page(path)
      #expect(page.contains("&lt;b&gt;\\input{x} &amp; &quot;q&quot;"), "\(path)")
      #expect(!page.contains("<b>\\") && !page.contains("\"q\""), "\(path)")
    }
    let csv = try site.server.ask("/runs?table=runs&as=csv")
    #expect(csv.headers["content-disposition"] == "attachment; filename=\"runs.csv\"")
    let lines = csv.body.split(separator: "\n")
    #expect(lines.count == 3 && lines[1].contains(",\"<b>\\input{x} & \"\"q\"\"\","))
    let latex = try site.server.ask("/runs?table=runs&as=latex").body
    #expect(latex.contains("\\textbackslash{}input\\{x\\} \\&") && !latex.contains("\\input{"))
    #expect(latex.contains("\\begin{tabular}"))
    #expect(try site.server.ask("/runs?table=none&as=csv").status == 404)
    #expect(try site.server.ask("/runs?table=runs&as=pdf").status == 404)
    for path in [
      "/runs/3", "/runs/x", "/runs/1?split=none/test", "/compare?a=1", "/compare?a=1&b=9",
    ] {
      #expect(try site.server.ask(path).status == 404, "\(path)")
    }
  }

  @Test func showsTheNumbersOfTheCommand() throws {
    let site = try Site()
    let metrics = try site.server.ask("/runs/1?table=metrics&as=csv").body.split(separator: "\n")
    let printed = try CommandRun(
      "roc-eval",
      [
        "report", "1", "--split", "mine/test", "--json", "--output", "\(site.path)/report",
        "--resamples", "0", "--db", "\(site.path)/a.sqlite",
      ])
    let result = try JSON.parse(printed.output)
    let srcc = try #require(metrics.first { $0.hasPrefix("srcc,") }).split(separator: ",")
    #expect(result["run"]?["metrics"]?["srcc"]?.double == Double(srcc[1]), "\(printed.output)")
    let points = try site.server.ask("/runs/1/points.json").json()
    #expect(points["points"]?.array?.count == 10)
    #expect(try site.server.ask("/runs/1/predictions.csv").body.split(separator: "\n").count == 11)
    let figure = try site.server.ask("/runs/1/figures/scatter.svg")
    #expect(figure.headers["content-type"] == "image/svg+xml")
    #expect(figure.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    #expect(try site.server.ask("/runs/1/figures/scatter.tex").body.contains("\\begin{axis}"))
    for name in ["scatter.exe", "none.svg", "..%2fa.sqlite"] {
      #expect(try site.server.ask("/runs/1/figures/\(name)").status == 404)
    }
  }

  @Test func findsWhatPartsShare() throws {
    let site = try Site()
    let leaks = try site.page("/datasets/album/leaks")
    #expect(leaks.contains("the same by") && leaks.contains("content"))
    let alike = try site.page("/datasets/album/look-alikes")
    #expect(alike.contains("2 groups among the 20 pictures"))
    #expect(alike.matches(of: /<section class="card">/).count == 2)
    #expect(try site.page("/pictures/1").contains("Pictures that look like it"))
  }

  /// A run that is being written: its page is there all the time, and catches up.
  @Test func showsARunThatGrows() throws {
    let site = try Site()
    _ = try site.page("/runs/1")
    let store = try Store(path: "\(site.path)/a.sqlite", creates: false)
    let samples = try store.samples(try store.dataset("album")).samples
    for (place, sample) in samples.prefix(8).enumerated() {
      try store.save(
        [
          PredictionRecord(
            sample: sample.id, scores: [Double(place)], distributions: [[1]], text: nil,
            errorCode: nil, errorMessage: nil, milliseconds: 1)
        ], run: 1)
      let page = try site.server.ask("/runs/1").body
      #expect(page.contains("<h2>Metrics</h2>") && !page.contains("data-waits"))
    }
    var page = ""
    for _ in 0..<200 {
      page = try site.server.ask("/runs/1").body
      if page.contains("mine/train") { break }
      usleep(50_000)
    }
    #expect(page.contains("mine/train"))
  }

  @Test func followsARunAndStops() throws {
    let site = try Site()
    // Somebody takes pictures that are not scored yet.
    let store = try Store(path: "\(site.path)/a.sqlite", creates: false)
    var left = try store.samples(try store.dataset("album")).samples.prefix(5).map(\.id)
    let taken = try store.claim(
      .init(run: 1, owner: "test", count: 5) { _ in false }, from: &left, since: Store.now)
    #expect(taken.count == 5)
    #expect(try site.page("/runs/1").contains("data-progress=\"/runs/1/events\""))
    #expect(!(try site.page("/runs/2").contains("data-progress")))
    let client = try HTTPClient(site.server.port)
    try client.send("GET", "/runs/1/events")
    #expect(try client.readHead().headers["content-type"] == "text/event-stream")
    let event = try client.readChunk()
    #expect(event.hasPrefix("data: {\"scored\": 10, \"failed\": 0, \"held\": 5, "))
    let start = Date()
    let (status, log) = site.server.stop()
    #expect(status == 0 && log.hasSuffix("stopped\n"), "\(log)")
    #expect(Date().timeIntervalSince(start) < 9)
    #expect(try client.readChunk().contains("event: end"))
  }
}
