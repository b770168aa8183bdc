import Foundation
import GRDB
import RocJSON
import RocTestSupport
import Testing

/// Facts for programs, and what it takes to remove and rename things.
struct FactsToolTests {
  private let folder: TemporaryFolder
  private var database: [String] { ["--db", "\(folder.path)/t.sqlite"] }

  init() throws {
    folder = try TemporaryFolder()
    let picture = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/rgb_64x64.png")))
    var labels = "image,score,light,theme\n"
    for place in 0..<8 {
      try folder.write(picture, to: "img/p\(place).png")
      labels += "p\(place).png,\(place),\(Double(place) / 2),\(place < 5 ? "sea" : "sky")\n"
    }
    try folder.write(labels + "gone.png,4,1,sea\n", to: "labels.csv")
    try folder.write("p0.png\np1.png\np2.png\nnobody.png\n", to: "test.txt")
    _ = try run(
      "roc-data", "import", "table", "--name", "mine", "--source", "\(folder.path)/labels.csv",
      "--images", "\(folder.path)/img")
  }

  private func run(_ tool: String, _ arguments: String...) throws -> CommandRun {
    try CommandRun(tool, arguments + database)
  }

  private func object(_ run: CommandRun, _ schema: String) throws -> JSON {
    let value = try JSON.parse(run.output)
    #expect(value["schema"]?.string == "roc/\(schema)/1")
    return value
  }

  @Test func everyCommandOfDatasetsTellsProgramsItsFacts() throws {
    let verified = try run("roc-data", "verify-images", "mine", "--json")
    let images = try object(verified, "images")
    #expect(verified.status == 3 && images["n"]?.int == 9 && images["n_bad"]?.int == 1)
    #expect(images["pictures"]?.array?.first?["image"] == "gone.png")
    let split = try run(
      "roc-data", "add-split", "mine", "own", "--test", "\(folder.path)/test.txt", "--json")
    #expect(split.status == 3)
    let part = try object(split, "split")["parts"]?["test"]
    #expect(part?["pictures"]?.int == 3 && part?["unknown"] == ["nobody.png"])
    let export = try run(
      "roc-data", "export", "mine", "--split", "own/test", "--output", "\(folder.path)/x.json",
      "--json")
    #expect(try object(export, "export")["records"]?.int == 3)
    #expect(try run("roc-data", "export", "mine", "--split", "own/test", "--json").status == 64)
    let card = try object(
      run("roc-data", "card", "mine", "--output", folder.path, "--json"), "card")
    #expect(card["pictures"]?.int == 9 && card["files"]?.array?.count == 2)
    let stats = try object(run("roc-data", "stats", "mine", "--json"), "stats")
    #expect(stats["attributes"]?.array?.map { $0["name"]?.string } == ["light"])
    #expect(stats["attributes"]?.array?.first?["values"]?["max"]?.double == 3.5)
    #expect(stats["themes"] == ["sea": 6, "sky": 3])
    let text = try run("roc-data", "stats", "mine").output
    #expect(text.contains("themes    sea 6, sky 3") && text.contains("light      9"))
  }

  @Test func everyCommandOfRunsAndModelsTellsProgramsItsFacts() throws {
    _ = try run(
      "roc-data", "add-split", "mine", "own", "--test", "\(folder.path)/test.txt")
    let scored = try run(
      "roc-eval", "--checkpoint", Fixture.path("tiny-f32"), "--split", "own/test", "--resamples",
      "100")
    #expect(scored.status == 0)
    let report = try object(
      run(
        "roc-eval", "report", "1", "--split", "own/test", "--output", "\(folder.path)/r",
        "--resamples", "100", "--json"), "report")
    #expect(report["run"]?["n_scored"]?.int == 3)
    for figure in report["figures"]?.array ?? [] {
      #expect(FileManager.default.fileExists(atPath: figure.string ?? ""))
    }
    let table = try object(run("roc-eval", "table", "2", "--json"), "table")
    #expect((table["values"]?.array?.count ?? 0) > 10)
    let doctor = try CommandRun("roc-model", ["doctor", "--json"])
    #expect(try object(doctor, "doctor")["facts"]?["kernels"]?.string?.contains("used") == true)
    let made = try CommandRun("roc-model", ["init", "\(folder.path)/m", "--json"])
    let first = try object(made, "checkpoint")
    #expect(first["num_tokens"]?.int == 10 && first["sha256"]?.string?.count == 64)
    let converted = try CommandRun(
      "roc-model", ["convert", "\(folder.path)/m", "\(folder.path)/c", "--dtype", "f32", "--json"])
    #expect(try object(converted, "checkpoint")["weight_bytes"]?.int ?? 0 > 1000)
  }

  @Test func removingSaysFirstWhatGoes() throws {
    let scored = try run(
      "roc-eval", "--checkpoint", Fixture.path("tiny-f32"), "--split", "test", "--resamples", "100")
    #expect(scored.status == 0 || scored.status == 3)
    let asked = try run("roc-eval", "remove", "1", "--json")
    #expect(asked.status == 4 && asked.errors.contains("nothing was removed"))
    #expect(try object(asked, "removal")["removed"] == false)
    #expect(try run("roc-eval", "remove", "9").status == 6)
    let told = try run("roc-data", "remove", "mine", "--json")
    let holds = try object(told, "removal")["holds"]
    #expect(told.status == 4 && holds?["pictures"]?.int == 9 && holds?["runs"]?.int == 1)
    #expect(try run("roc-eval", "remove", "1", "--yes").status == 0)
    #expect(try run("roc-eval", "runs", "--json").output.contains("\"runs\": []"))
    #expect(try run("roc-data", "rename", "mine", "a.b").status == 64)
    #expect(try run("roc-data", "rename", "mine", "yours").status == 0)
    let list = try JSON.parse(run("roc-data", "list", "--json").output)
    #expect(list["datasets"]?.array?.first?["title"] == "yours")
    #expect(try run("roc-data", "rename", "yours", "yours").status == 1)
    #expect(try run("roc-data", "remove", "yours", "--yes").status == 0)
    let rows = try DatabaseQueue(path: "\(folder.path)/t.sqlite").read { db in
      try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'grdb%'"
      ).filter { try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\($0)\"") != 0 }
    }
    #expect(rows == [])
    // No index that served the removal stays.
    let left = try DatabaseQueue(path: "\(folder.path)/t.sqlite").read { db in
      try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE name LIKE '%by_sample'")
    }
    #expect(left == [])
  }
}
