import Foundation
import RocJSON
import RocTestSupport
import Testing

/// The built roc-eval: what it prints, and how it ends.
struct EvalToolTests {
  private let checkpoint = Fixture.path("tiny-f32")

  private func score(_ arguments: [String], input: String = "") throws -> CommandRun {
    try CommandRun("roc-eval", ["score", "--checkpoint", checkpoint] + arguments, input: input)
  }

  @Test func scoresPicturesInTheOrderGiven() throws {
    let folder = try TemporaryFolder()
    for (name, fixture) in [("b.png", "rgb_64x64.png"), ("a.JPG", "photo_640x427.jpg")] {
      try folder.write(
        Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/\(fixture)"))),
        to: "album/deep/\(name)")
    }
    try folder.write("text", to: "album/notes.txt")
    let bad = try folder.write("text", to: "bad.jpg")
    let run = try score([bad, "\(folder.path)/album/", "\(folder.path)/album/deep/b.png"])
    #expect(run.status == 3)
    let lines = run.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    #expect(
      lines.map { $0[0] } == [
        bad, "\(folder.path)/album/deep/a.JPG", "\(folder.path)/album/deep/b.png",
        "\(folder.path)/album/deep/b.png",
      ])
    #expect(lines[0] == [bad, "failed", "not_a_picture"])
    #expect(lines[2] == lines[3])
    #expect(lines[2][1].split(separator: ".")[1].count == 4)
    #expect(run.errors.contains("1 of 4 pictures have no score"))
    let listed = try score(["--decimals", "2", "-"], input: "\(folder.path)/album/deep/b.png\n")
    #expect(listed.status == 0 && listed.output.split(separator: ".").last?.count == 3)
  }

  @Test func printsFullPrecisionAsJSONLines() throws {
    let picture = Fixture.path("images/baseline420_113x77.jpg")
    let run = try score(["--jsonl", picture, "/nowhere.png"])
    #expect(run.status == 3)
    let objects = try run.output.split(separator: "\n").map { try JSON.parse(String($0)) }
    #expect(objects.count == 2)
    #expect(objects[0]["schema"] == "roc/score/1" && objects[0]["image"] == .string(picture))
    let value = try #require(objects[0]["score"]?.double)
    #expect(abs(value - 4.8147196769714355) < 9e-4)
    #expect(objects[0]["scores"]?.array?.count == 1)
    #expect(objects[0]["distribution"] == objects[0]["distributions"]?.array?[0])
    #expect(objects[0]["error"]?.isNull == true)
    #expect(objects[1]["score"]?.isNull == true && objects[1]["scores"] == [])
    #expect(objects[1]["error"]?["code"] == "missing")
  }

  @Test func endsWithTheCodeOfTheReason() throws {
    let folder = try TemporaryFolder()
    let picture = Fixture.path("images/rgb_64x64.png")
    func run(_ arguments: String...) throws -> CommandRun {
      try CommandRun("roc-eval", arguments, folder: folder.path)
    }
    let none = try run("score", "--checkpoint", "none", picture)
    #expect(none.status == 5)
    #expect(none.errors == "Error: none: there is no such checkpoint folder\n")
    #expect(try run("score", "--checkpoint", "Owner/Model", picture).status == 5)
    #expect(try run("score", picture).status == 64)
    #expect(try run("score", "--checkpoint", checkpoint).status == 64)
    #expect(
      try run("score", "--checkpoint", checkpoint, "--precision", "int4", picture).status == 64)
    #expect(try run("score", "--checkpoint", checkpoint, "--threads", "0", picture).status == 64)
    let empty = try run("score", "--checkpoint", checkpoint, folder.path)
    #expect(empty.status == 6 && empty.errors.contains("no pictures in it"))
    #expect(try run("--checkpoint", checkpoint, "--split", "test").status == 6)
    #expect(try run("metrics", "--predictions", "none.csv").status == 6)
    #expect(try run("metrics", "--predictions", "x", "--map", "1:2").status == 64)
    let set = try CommandRun(
      "roc-eval", ["score", "--checkpoint", checkpoint, picture],
      environment: ["ROC_KERNELS": "fast"])
    #expect(set.status == 64 && set.errors.contains("there are no kernels called fast"))
  }

  /// A demo dataset with pictures, imported.
  private func demo(_ images: Int) throws -> (folder: TemporaryFolder, database: [String]) {
    let folder = try TemporaryFolder()
    let database = ["--db", "\(folder.path)/roc.sqlite"]
    let made = try CommandRun(
      "roc-data", ["demo", "--output", "\(folder.path)/demo", "--images", "\(images)"])
    #expect(made.status == 0)
    let imported = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--source", "\(folder.path)/demo", "--images",
        "\(folder.path)/demo/images",
      ] + database)
    #expect(imported.status == 0)
    return (folder, database)
  }

  @Test func scoresASplitAndWritesItsTables() throws {
    let (folder, database) = try demo(30)
    let arguments =
      ["--checkpoint", checkpoint, "--dataset", "ava", "--split", "test", "--precision", "f32"]
      + database
    let files = ["csv", "latex", "html"].flatMap { ["--\($0)", "\(folder.path)/out.\($0)"] }
    let first = try CommandRun("roc-eval", arguments + files + ["--json"])
    #expect(first.status == 0)
    let result = try JSON.parse(first.output)
    #expect(result["schema"] == "roc/run/1" && result["split"]?["name"] == "official/test")
    #expect(result["n_expected"]?.int == 10 && result["n_scored"]?.int == 10)
    #expect(result["n_failed"]?.int == 0 && result["precision"] == "f32")
    for key in ["srcc", "plcc", "krcc", "mae", "rmse", "accuracy", "emd1", "emd2"] {
      let value = try #require(result["metrics"]?[key]?.double, "\(key)")
      let interval = try #require(result["ci95"]?[key]?.array).compactMap { $0.double }
      #expect(interval[0] <= value && value <= interval[1])
    }
    // A second run scores nothing anew and prints the same metrics.
    let second = try CommandRun("roc-eval", arguments + ["--json"])
    #expect(second.errors.contains("10 of 10 pictures are scored already"))
    #expect(try JSON.parse(second.output)["metrics"] == result["metrics"])
    // The CSV gives the same metrics again.
    let metrics = try CommandRun(
      "roc-eval", ["metrics", "--predictions", "\(folder.path)/out.csv", "--json"])
    let again = try JSON.parse(metrics.output)["metrics"]
    for metric in result["metrics"]?.members ?? [] {
      #expect(again?[metric.name] == metric.value, "\(metric.name)")
    }
    let latex = try String(contentsOfFile: "\(folder.path)/out.latex", encoding: .utf8)
    #expect(latex.contains("\\caption{AVA demo (made up), official/test (10 pictures)."))
    let page = try String(contentsOfFile: "\(folder.path)/out.html", encoding: .utf8)
    #expect(page.hasPrefix("<!doctype html>"))
    let runs = try CommandRun("roc-eval", ["runs", "--json"] + database)
    #expect(try JSON.parse(runs.output)["runs"]?.array?.map { $0["n_scored"]?.int } == [10])
  }

  @Test func saysThatASplitIsIncomplete() throws {
    let (folder, database) = try demo(30)
    try FileManager.default.removeItem(atPath: "\(folder.path)/demo/images/100015.jpg")
    try "text".write(
      toFile: "\(folder.path)/demo/images/100036.jpg", atomically: true, encoding: .utf8)
    let arguments = ["--checkpoint", checkpoint, "--split", "test"] + database
    // A file of the same name in the current folder is not the dataset's picture.
    let stray = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: "\(folder.path)/demo/images/100001.jpg", toPath: "\(stray.path)/100015.jpg")
    _ = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--source", "\(folder.path)/demo", "--images",
        "\(folder.path)/demo/images",
      ]
        + database)
    let elsewhere = try CommandRun("roc-eval", arguments + ["--limit", "5"], folder: stray.path)
    #expect(
      elsewhere.status == 3 && elsewhere.errors.contains("100015.jpg: not in the image folder"))
    let limited = try CommandRun("roc-eval", arguments + ["--limit", "5"])
    #expect(limited.status == 3)
    #expect(
      limited.output.hasSuffix(
        "3 of 10 pictures scored, 2 failed\nThe metrics are over an incomplete split.\n"))
    let whole = try CommandRun("roc-eval", arguments + ["--json"])
    #expect(whole.status == 3)
    let result = try JSON.parse(whole.output)
    #expect(result["n_scored"]?.int == 8 && result["n_failed"]?.int == 2)
    #expect(result["incomplete"]?.bool == true)
    // Pictures that were mended are scored by the next run.
    for name in ["100015.jpg", "100036.jpg"] {
      try? FileManager.default.removeItem(atPath: "\(folder.path)/demo/images/\(name)")
      try FileManager.default.copyItem(
        atPath: "\(folder.path)/demo/images/100001.jpg",
        toPath: "\(folder.path)/demo/images/\(name)")
    }
    _ = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--source", "\(folder.path)/demo", "--images",
        "\(folder.path)/demo/images",
      ] + database)
    #expect(try CommandRun("roc-eval", arguments).status == 0)
  }

  /// Starts a run with slow kernels and interrupts it when its first predictions are stored.
  private func interrupted(
    _ arguments: [String], _ database: [String]
  ) throws -> (status: Int32, errors: String) {
    let process = try CommandRun.process(
      "roc-eval", arguments, environment: ["ROC_KERNELS": "portable"])
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    for _ in 0..<400 {
      usleep(10_000)
      let runs = try CommandRun("roc-eval", ["runs", "--json"] + database)
      let stored = (try? JSON.parse(runs.output))?["runs"]?.array?.first?["n_scored"]?.int ?? 0
      if stored > 0 { break }
    }
    process.interrupt()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test func continuesAfterAnInterruption() throws {
    let (folder, database) = try demo(360)
    // The pictures take a while to prepare, so that the signal comes in the middle.
    for index in stride(from: 2, to: 360, by: 3) {
      let path = "\(folder.path)/demo/images/\(100_001 + 7 * index).jpg"
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.copyItem(
        atPath: Fixture.path("images/wide_3000x200.jpg"), toPath: path)
    }
    let arguments = ["--checkpoint", checkpoint, "--split", "test"] + database
    let (status, text) = try interrupted(arguments, database)
    #expect(status == 130, "\(text)")
    #expect(text.contains("the same command continues from here"))
    let runs = try CommandRun("roc-eval", ["runs", "--json"] + database)
    let stored = try #require(
      try JSON.parse(runs.output)["runs"]?.array?.first?["n_scored"]?.int)
    #expect(stored > 0 && stored < 120)
    let resumed = try CommandRun(
      "roc-eval", arguments + ["--json"], environment: ["ROC_KERNELS": "portable"])
    #expect(resumed.errors.contains("\(stored) of 120 pictures are scored already"))
    let other = ["--db", "\(folder.path)/undisturbed.sqlite"]
    let demo = "\(folder.path)/demo"
    _ = try CommandRun(
      "roc-data", ["import", "ava", "--source", demo, "--images", "\(demo)/images"] + other)
    let whole = try CommandRun(
      "roc-eval", ["--checkpoint", checkpoint, "--split", "test", "--json"] + other,
      environment: ["ROC_KERNELS": "portable"])
    #expect(try JSON.parse(resumed.output)["metrics"] == JSON.parse(whole.output)["metrics"])
  }

  /// Each precision and each way to score is a run of its own, and they can be compared.
  @Test func scoresASplitByLevelsAndInEightBits() throws {
    let (folder, database) = try demo(60)
    defer { withExtendedLifetime(folder) {} }
    func run(_ arguments: String...) throws -> JSON {
      let run = try CommandRun(
        "roc-eval",
        ["--checkpoint", checkpoint, "--split", "test", "--json", "--resamples", "200"]
          + arguments + database)
      #expect(run.status == 0, "\(run.errors)")
      return try JSON.parse(run.output)
    }
    let exact = try run("--precision", "f32")
    let small = try run("--precision", "int8")
    #expect(exact["precision"] == "f32" && small["precision"] == "int8")
    #expect(exact["metrics"] != small["metrics"])
    let levels = try run("--precision", "f32", "--scoring", "levels", "--level-scale", "0-1")
    #expect(
      levels["question"]
        == """
        levels 0-1: USER: How would you rate the aesthetics of this image? <|image|> ASSISTANT: \
        The aesthetics of the image is
        """)
    #expect(levels["n_scored"] == exact["n_scored"])
    let runs =
      try JSON.parse(
        try CommandRun("roc-eval", ["runs", "--json"] + database).output)["runs"]?.array ?? []
    #expect(runs.count == 3)
    let compared = try CommandRun("roc-eval", ["compare", "1", "2", "--json"] + database)
    #expect(compared.status == 0)
    #expect(compared.errors.contains("precision"))
    let several = try CommandRun(
      "roc-eval",
      [
        "--checkpoint", checkpoint, "--split", "test", "--scoring", "levels", "--targets",
        "gt_score,light",
      ] + database)
    #expect(several.status == 64, "\(several.errors)")
    #expect(several.errors.contains("light"))
  }

  /// An interruption among the last few pictures, which one claim holds, is one as well.
  @Test func saysWhenTheLastPicturesWereInterrupted() throws {
    let (folder, database) = try demo(72)
    let model = "\(folder.path)/small"
    #expect(try CommandRun("roc-model", ["init", model, "--preset", "small"]).status == 0)
    let csv = "\(folder.path)/out.csv"
    let (status, text) = try interrupted(
      ["--checkpoint", model, "--split", "test", "--threads", "1", "--csv", csv] + database,
      database)
    #expect(status == 130, "\(text)")
    #expect(text.contains("the same command continues from here"))
    #expect(!FileManager.default.fileExists(atPath: csv))
  }

  @Test func explainsADatasetWithoutPictures() throws {
    let source = try MadeUpAVA()
    _ = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--db", source.database])
    let run = try CommandRun(
      "roc-eval", ["--checkpoint", checkpoint, "--split", "test", "--db", source.database])
    #expect(run.status == 6)
    #expect(run.errors.contains("nobody has said where the pictures are"))
    let split = try CommandRun(
      "roc-eval", ["--checkpoint", checkpoint, "--split", "val", "--db", source.database])
    #expect(split.status == 6 && split.errors.contains("ava has no split val; it has"))
  }

  @Test func mapsScoresOnlyWhenAsked() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("image,gt_score,score\na,1,0\nb,10,1\nc,5.5,0.5\n", to: "p.csv")
    let plain = try CommandRun("roc-eval", ["metrics", "--predictions", file, "--json"])
    #expect(try JSON.parse(plain.output)["metrics"]?["mae"]?.double == 5)
    let mapped = try CommandRun(
      "roc-eval", ["metrics", "--predictions", file, "--map", "0:1=1:10", "--json"])
    #expect(try JSON.parse(mapped.output)["metrics"]?["mae"]?.double == 0)
    #expect(try JSON.parse(mapped.output)["map"] == "0:1=1:10")
  }
}
