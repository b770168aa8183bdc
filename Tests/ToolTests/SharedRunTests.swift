import Foundation
import GRDB
import RocJSON
import RocTestSupport
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

/// Runs that are killed, shared, divided and compared.
struct SharedRunTests {
  private let checkpoint = Fixture.path("tiny-f32")
  private let folder: TemporaryFolder
  private var database: [String] { ["--db", "\(folder.path)/roc.sqlite"] }

  init() throws {
    folder = try TemporaryFolder()
    _ = try CommandRun(
      "roc-data", ["demo", "--output", "\(folder.path)/demo", "--images", "240"])
    try importDemo(into: "\(folder.path)/roc.sqlite")
  }

  private func importDemo(into path: String) throws {
    let run = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--source", "\(folder.path)/demo", "--images",
        "\(folder.path)/demo/images", "--db", path,
      ])
    #expect(run.status == 0)
  }

  private var scoring: [String] {
    ["--checkpoint", checkpoint, "--split", "test", "--resamples", "0"]
  }

  private func predictions(_ path: String? = nil) throws -> [String] {
    let queue = try DatabaseQueue(path: path ?? "\(folder.path)/roc.sqlite")
    return try queue.read {
      try String.fetchAll(
        $0,
        sql: """
          SELECT key || ' ' || scores || ' ' || distributions || ' ' || text || ' ' ||
            picture_sha256 FROM predictions JOIN samples ON samples.id = sample ORDER BY 1
          """)
    }
  }

  /// The predictions of a run that nothing disturbed.
  private func undisturbed() throws -> [String] {
    let path = "\(folder.path)/whole.sqlite"
    try importDemo(into: path)
    #expect(try CommandRun("roc-eval", scoring + ["--db", path]).status == 0)
    let whole = try predictions(path)
    #expect(whole.count == 80)
    return whole
  }

  @Test func survivesKills() throws {
    let whole = try undisturbed()
    var stored = 0
    var state: UInt64 = 11
    for _ in 0..<50 {
      let process = try CommandRun.process("roc-eval", scoring + database)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      usleep(20_000 + UInt32(state >> 45) % 130_000)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let now = try predictions().count
      #expect(now >= stored)
      stored = now
      if stored == 80 { break }
    }
    let last = try CommandRun("roc-eval", scoring + database)
    #expect(last.status == 0, "\(last.errors)")
    #expect(try predictions() == whole)
    let queue = try DatabaseQueue(path: "\(folder.path)/roc.sqlite")
    #expect(try queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM leases") } == 0)
  }

  @Test func twoProcessesShareTheWork() throws {
    let whole = try undisturbed()
    let processes = try (0..<2).map { _ in
      let process = try CommandRun.process(
        "roc-eval", scoring + database, environment: ["ROC_KERNELS": "portable"])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      return process
    }
    for process in processes { try process.run() }
    for process in processes { process.waitUntilExit() }
    #expect(processes.allSatisfy { $0.terminationStatus == 0 })
    let shared = try predictions()
    #expect(shared.count == 80 && Set(shared).count == 80)
    #expect(shared.map { $0.prefix { $0 != " " } } == whole.map { $0.prefix { $0 != " " } })
  }

  @Test func scoresAChangedPictureAgain() throws {
    #expect(try CommandRun("roc-eval", scoring + database).status == 0)
    let before = try predictions()
    let images = "\(folder.path)/demo/images"
    let name = String(before[0].prefix { $0 != " " })
    let other = String(before[1].prefix { $0 != " " })
    // Another time alone changes nothing.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: "\(images)/\(other)")
    try FileManager.default.removeItem(atPath: "\(images)/\(name)")
    try FileManager.default.copyItem(
      atPath: Fixture.path("images/photo_640x427.jpg"), toPath: "\(images)/\(name)")
    let run = try CommandRun("roc-eval", scoring + database)
    #expect(run.errors.contains("1 pictures have changed since they were scored"))
    let after = try predictions()
    #expect(after[0] != before[0] && after.dropFirst() == before.dropFirst())
  }

  @Test func shardsMergeToTheSamePredictions() throws {
    let whole = try undisturbed()
    for count in [1, 3, 8] {
      let segments = "\(folder.path)/segments-\(count)"
      let path = "\(folder.path)/merged-\(count).sqlite"
      try importDemo(into: path)
      for index in 1...count {
        let run = try CommandRun(
          "roc-eval", scoring + ["--segments", segments, "--db", path],
          environment: ["ROC_SHARD": "\(index)/\(count)"])
        #expect(run.status == 0 && run.errors.contains("shard \(index)/\(count) (ROC_SHARD)"))
        guard index < count else { continue }
        let early = try CommandRun("roc-eval", ["merge", segments, "--db", path])
        #expect(early.status == 4 && early.errors.contains("are in no segment"))
      }
      let merged = try CommandRun(
        "roc-eval", ["merge", segments, "--db", path, "--json", "--resamples", "0"])
      #expect(merged.status == 0, "\(merged.errors)")
      #expect(try JSON.parse(merged.output)["n_scored"]?.int == 80)
      #expect(try predictions(path) == whole)
    }
  }

  @Test func printsAJobForSlurm() throws {
    let job = try CommandRun(
      "roc-eval",
      [
        "slurm", "--shards", "4", "--partition", "gpu", "--", "--checkpoint", "my model",
        "--split", "test", "--db", "a.sqlite",
      ])
    #expect(job.status == 0 && job.output.hasPrefix("#!/bin/bash\n#SBATCH"))
    #expect(job.output.contains("#SBATCH --array=1-4\n"))
    #expect(job.output.contains("roc-eval --checkpoint 'my model' --split test --db a.sqlite"))
    #expect(job.output.contains("roc-eval merge segments --db a.sqlite"))
    let file = try folder.write(job.output, to: "job.sh")
    let check = Process()
    check.executableURL = URL(fileURLWithPath: "/bin/bash")
    check.arguments = ["-n", file]
    try check.run()
    check.waitUntilExit()
    #expect(check.terminationStatus == 0)
    #expect(job.output.contains("export ROC_SHARD=\"$SLURM_ARRAY_TASK_ID/4\"\n"))
    #expect(try CommandRun("roc-eval", ["slurm", "--", "--split", "test"]).status == 64)
    let joined = ["slurm", "--", "--checkpoint=x", "--split=test", "--db=b.sqlite"]
    let other = try CommandRun("roc-eval", joined)
    #expect(other.status == 0 && other.output.contains("merge segments --db b.sqlite"))
    #expect(try CommandRun("roc-eval", joined + ["--json"]).status == 64)
    #expect(try CommandRun("roc-eval", ["slurm", "--memory", "2G\nx"] + joined[1...]).status == 64)
  }

  @Test func comparesRunsAndFiles() throws {
    _ = try CommandRun("roc-eval", scoring + database + ["--csv", "\(folder.path)/a.csv"])
    _ = try CommandRun(
      "roc-eval", scoring + database + ["--question", "How good is it?"])
    let both = try CommandRun(
      "roc-eval", ["compare", "1", "2", "--json", "--resamples", "500"] + database)
    #expect(both.status == 0, "\(both.errors)")
    let result = try JSON.parse(both.output)
    #expect(result["schema"] == "roc/comparison/1")
    let pair = try #require(result["comparisons"]?.array?.first)
    #expect(pair["n"]?.int == 80)
    let srcc = try #require(pair["metrics"]?["srcc"])
    let gap = try #require(srcc["difference"]?.double)
    let interval = try #require(srcc["ci95"]?.array).compactMap { $0.double }
    #expect(interval[0] <= gap && gap <= interval[1])
    #expect(srcc["test"] == "Steiger" && pair["metrics"]?["accuracy"]?["test"] == "McNemar")
    // The file of a run is the run.
    let same = try CommandRun(
      "roc-eval",
      ["compare", "1", "\(folder.path)/a.csv", "--json", "--resamples", "100"] + database)
    let zero = try JSON.parse(same.output)["comparisons"]?.array?.first?["metrics"]
    #expect(zero?["srcc"]?["difference"]?.double == 0 && zero?["mae"]?["p_bootstrap"]?.double == 1)
    // Other pictures are another protocol.
    _ = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--name", "other", "--source", "\(folder.path)/demo", "--images",
        "\(folder.path)/demo/images",
      ]
        + database)
    _ = try CommandRun("roc-eval", scoring + ["--dataset", "other"] + database)
    let refused = try CommandRun("roc-eval", ["compare", "1", "3"] + database)
    #expect(refused.status == 4 && refused.errors.contains("dataset: ava and other"))
    let forced = try CommandRun(
      "roc-eval", ["compare", "1", "3", "--force", "--resamples", "100"] + database)
    #expect(forced.status == 0 && forced.errors.contains("Warning:"))
    #expect(try CommandRun("roc-eval", ["compare", "1"] + database).status == 64)
    #expect(try CommandRun("roc-eval", ["compare", "1", "99"] + database).status == 6)
  }

  @Test func brandsACheckpointThatSawTheTestPictures() throws {
    let list = try folder.write(
      try predictionsKeys().prefix(5).joined(separator: "\n"), to: "seen.txt")
    _ = try CommandRun("roc-data", ["add-split", "ava", "mine", "--train", list] + database)
    let run = try CommandRun(
      "roc-eval", scoring + database + ["--trained-on", "ava:mine/train", "--json"])
    let seen = try JSON.parse(run.output)["trained_on"]?.array
    #expect(seen?.count == 1 && seen?[0]["n"]?.int == 5 && seen?[0]["of"]?.int == 80)
    // It stays known.
    let again = try CommandRun("roc-eval", scoring + database)
    #expect(again.output.contains("Warning: 5 of the 80 pictures are in ava mine/train"))
    let wrong = try CommandRun(
      "roc-eval", scoring + database + ["--trained-on", "ava:nothing/train"])
    #expect(wrong.status == 6)
  }

  private func predictionsKeys() throws -> [String] {
    let queue = try DatabaseQueue(path: "\(folder.path)/roc.sqlite")
    return try queue.read {
      try String.fetchAll(
        $0,
        sql: """
          SELECT key FROM split_members JOIN split_schemes ON split_schemes.id = scheme
          JOIN samples ON samples.id = sample WHERE name = 'official' AND part = 'test'
          ORDER BY key
          """)
    }
  }

  @Test func saysHowManyImagesAreNeeded() throws {
    let run = try CommandRun(
      "roc-eval", ["power", "0.832", "0.829", "--between", "0.95", "--json"])
    let images = try #require(try JSON.parse(run.output)["images"]?.int)
    #expect((5_000...60_000).contains(images))
    #expect(try CommandRun("roc-eval", ["power", "0.9", "0.1", "--between", "0.99"]).status == 64)
    #expect(try CommandRun("roc-eval", ["power", "1.5", "0.1"]).status == 64)
    // The chance is never below the level, and two pictures say nothing.
    let low = ["power", "0.8", "0.7", "--power", "0.01", "--level", "0.9"]
    #expect(try CommandRun("roc-eval", low).status == 64)
    #expect(try CommandRun("roc-eval", ["power", "0.8", "0.7", "--images", "2"]).status == 64)
  }

  @Test func setsRunsIntoThePapersTables() throws {
    _ = try CommandRun("roc-eval", scoring + database)
    let whole = try CommandRun("roc-eval", ["table", "1", "--run", "1=Mine", "--force"] + database)
    #expect(whole.status == 0 && whole.output.contains("     & Mine \\\\"), "\(whole.errors)")
    let wrong = try CommandRun("roc-eval", ["table", "2", "--run", "1"] + database)
    #expect(
      wrong.status == 64
        && wrong.errors.contains("run 1 is on AVA demo (made up), the table is on ICAA17K, TAD66K"))
    // Another split is another protocol.
    let other = ["table", "1", "--run", "1=Mine", "--split", "generic-ls/test"] + database
    let refused = try CommandRun("roc-eval", other)
    #expect(refused.status == 4 && refused.errors.contains("not official/test"))
    let forced = try CommandRun("roc-eval", other + ["--force"])
    #expect(
      forced.status == 0 && forced.output.contains("$^{a}$ AVA demo (made up) is a made-up")
        && forced.output.contains("on generic-ls/test, not official/test"))
    let yaml = try folder.write(
      """
      caption: Mine
      columns:
        - {dataset: AVA, metric: SRCC}
        - {dataset: AVA, metric: ACC}
        - {dataset: TAD66K, metric: PLCC}
      rows:
        - published: NIMA
        - {run: 1, name: Own}
      """, to: "mine.yaml")
    let custom = try CommandRun(
      "roc-eval", ["table", yaml, "--output", "\(folder.path)/mine.md", "--force"] + database)
    #expect(custom.status == 0, "\(custom.errors)")
    let markdown = try String(contentsOfFile: "\(folder.path)/mine.md", encoding: .utf8)
    #expect(
      markdown.contains("| NIMA (TIP 2018) | ") && markdown.contains("| - | **0.405** |") == false)
    #expect(markdown.contains("| Own | "))
    try folder.write("caption: x\ncolumns: []\nrows: []\n", to: "bad.yaml")
    let bad = try CommandRun("roc-eval", ["table", "\(folder.path)/bad.yaml"] + database)
    #expect(bad.status == 1 && bad.errors.contains("needs columns and rows"))
    #expect(try CommandRun("roc-eval", ["table", "7"]).status == 64)
  }

  @Test func writesAReportThatStandsForItself() throws {
    _ = try CommandRun("roc-eval", scoring + database)
    let none = try CommandRun(
      "roc-eval", ["report", "1", "--split", "train", "--output", "\(folder.path)/x"] + database)
    #expect(none.status == 6 && none.errors.contains("has no scores on official/train"))
    let run = try CommandRun(
      "roc-eval",
      ["report", "1", "--output", "\(folder.path)/report", "--misses", "3", "--resamples", "100"]
        + database)
    #expect(run.status == 0, "\(run.errors)")
    let page = try String(contentsOfFile: "\(folder.path)/report/index.html", encoding: .utf8)
    let addresses = page.components(separatedBy: "http").dropFirst()
    #expect(addresses.allSatisfy { $0.hasPrefix("://www.w3.org/2000/svg") })
    #expect(page.components(separatedBy: "data:image/jpeg;base64,").count == 4)
    #expect(page.contains("<td class=\"v\">") && page.contains("SHA-256"))
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/report/figures")
    let names = [
      "calibration", "distributions", "error-by-entropy", "histograms", "residuals-by-theme",
      "scatter",
    ]
    #expect(Set(files) == Set(names.flatMap { ["\($0).svg", "\($0).tex"] }))
    for name in names {
      let svg = try Data(
        contentsOf: URL(fileURLWithPath: "\(folder.path)/report/figures/\(name).svg"))
      #expect(XMLParser(data: svg).parse(), "\(name)")
      let tex = try String(
        contentsOfFile: "\(folder.path)/report/figures/\(name).tex", encoding: .utf8)
      #expect(tex.hasPrefix("\\begin{tikzpicture}") && tex.contains("\\addplot"))
      #expect(!tex.contains("nan") && !String(decoding: svg, as: UTF8.self).contains("nan"))
    }
  }
}
