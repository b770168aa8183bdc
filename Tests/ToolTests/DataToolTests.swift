import Foundation
import GRDB
import RocJSON
import RocTestSupport
import Testing

/// The built roc-data: what it prints, and how it ends.
struct DataToolTests {
  @Test func importsShowsExportsAndValidates() throws {
    let source = try MadeUpAVA()
    let database = ["--db", source.database]
    let imported = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path] + database)
    #expect(imported.status == 0)
    #expect(
      imported.output == """
        ava: 10 pictures from 10 rows into \(source.database)
          gt_score: mean 4.9239, std 0.9135, min 4.0000, max 7.0000
          votes: 75
          official/train: 8
          official/test: 2
          generic-ls/train: 2
          generic-ls/test: 2
          style/train: 3
          style/test: 2
          generic_ls_train: 2 listed ids have no label
          generic_test: 1 listed ids have no label
          pictures were not looked for (no --images)

        """)
    let again = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--json"] + database)
    let report = try JSON.parse(again.output)
    #expect(report["schema"] == "roc/import/1")
    #expect(report["rows"]?.int == 10 && report["votes"]?.int == 75)
    #expect(report["unlabelled"]?["generic_test"]?.int == 1)

    let stats = try CommandRun(
      "roc-data", ["stats", "ava", "--split", "test", "--json"] + database)
    let numbers = try JSON.parse(stats.output)
    #expect(numbers["n"]?.int == 2 && numbers["split"] == "official/test")
    #expect(numbers["gt_score"]?["mean"]?.double == 5.5)
    #expect(numbers["gt_score"]?["std"]?.double == 0.5)
    #expect(numbers["histogram"] == [0, 0, 6, 0, 0, 0, 0, 0, 4, 0])

    let list = try CommandRun(
      "roc-data", ["list", "--json"], environment: ["ROC_DB": source.database])
    #expect(
      try JSON.parse(list.output)["datasets"]?.array?[0]["splits"]?["official/test"]?.int == 2)

    let file = "\(source.folder.path)/test.json"
    let export = try CommandRun(
      "roc-data",
      ["export", "ava", "--split", "test", "--format", "roc", "--output", file] + database)
    #expect(export.status == 0 && export.output.isEmpty)
    #expect(export.errors == "ava official/test: 2 records\n")
    let valid = try CommandRun("roc-data", ["validate", file, "--num-tokens", "10"])
    #expect(valid.status == 0)
    #expect(
      valid.output
        == "\(file): read as ROC4MLLM training records: 2 records, 0 errors, 0 warnings\npictures were not checked (no --images)\n"
    )
    let short = try CommandRun("roc-data", ["validate", file, "--num-tokens", "5"])
    #expect(short.status == 4)
    #expect(
      short.output.hasPrefix("error: records 1, 2: target: 10 values, expected 5 (num_tokens)\n"))
    let stored = try CommandRun("roc-data", ["validate", "ava"] + database)
    #expect(
      stored.status == 0
        && stored.output.hasPrefix(
          "ava: read as ROC4MLLM training records: 10 records, 0 errors, 0 warnings")
    )
    let piped = try CommandRun(
      "roc-data", ["validate", "-", "--json"],
      input: try String(contentsOfFile: file, encoding: .utf8))
    #expect(try JSON.parse(piped.output)["records"]?.int == 2)
  }

  @Test func setsBadLinesAsideWithExitCode3() throws {
    let source = try MadeUpAVA(labels: MadeUpAVA.row(1, id: 12) + "\nbroken\n")
    let run = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--db", source.database, "--json"])
    #expect(run.status == 3)
    #expect(
      run.errors
        == "Warning: AVA.txt:2: \"broken\" is not a whole number; set aside\n")
    #expect(
      try JSON.parse(run.output)["skipped"]?.array?.first?.line
        == "{\"file\": \"AVA.txt\", \"line\": 2, \"record\": null, \"reason\": \"\\\"broken\\\" is not a whole number\"}"
    )
  }

  @Test func endsWithTheCodeOfTheReason() throws {
    let folder = try TemporaryFolder()
    func status(_ arguments: String...) throws -> Int32 {
      try CommandRun("roc-data", arguments, folder: folder.path).status
    }
    #expect(try status("stats", "ava") == 6)
    #expect(try status("import", "ava", "--source", "nowhere") == 6)
    #expect(try status("import", "ava", "--source", folder.path) == 6)
    #expect(try status("import", "avaa", "--source", folder.path) == 64)
    #expect(try status("import", "ava") == 64)
    #expect(try status("import", "ava", "--sauce", "x") == 64)
    #expect(try status("validate", "none.json") == 6)
    #expect(try status("validate", "x", "--min-score", "3") == 64)
    #expect(try status("verify-images", "ava", "--jobs", "0") == 64)
    #expect(try status("demo", "--output", "x", "--images", "1") == 64)
    // Nothing of this leaves an empty database behind.
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/roc.sqlite"))
  }

  @Test func leavesOutPicturesThatAreMissingOrBroken() throws {
    let source = try MadeUpAVA(test: [11, 12, 13, 14])
    try source.addPictures([11, 12, 13])
    try source.folder.write("not a picture", to: "images/12.jpg")
    let database = ["--db", source.database]
    let imported = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--images", source.images] + database)
    #expect(imported.status == 0 && imported.output.hasSuffix("  pictures missing: 7\n"))
    let verified = try CommandRun("roc-data", ["verify-images", "ava"] + database)
    #expect(verified.status == 3)
    #expect(
      verified.output.hasPrefix(
        """
        11.jpg\treadable\twrong_extension
        12.jpg\tunreadable\tnot a JPEG, PNG, WebP or BMP picture: it starts with the text 
        """))
    #expect(verified.output.contains("14.jpg\tmissing\tnot in the image folder\n"))
    #expect(
      verified.errors
        == "ava: 10 pictures, 2 readable, 8 missing or broken\n  wrong_extension: 2\n")
    let again = try CommandRun("roc-data", ["verify-images", "ava"] + database)
    #expect(again.status == 3 && again.errors.hasSuffix("2 of them known from before\n"))

    let export = try CommandRun(
      "roc-data", ["export", "ava", "--split", "test", "--skip-missing"] + database)
    #expect(export.status == 0)
    #expect(
      try JSON.parse(export.output).array?.compactMap { $0["image"]?.string }
        == ["11.jpg", "13.jpg"])
    #expect(export.errors.contains("left out: 14.jpg: not in the image folder\n"))
    #expect(export.errors.hasSuffix("ava official/test: 2 records, 2 left out\n"))

    let lint = try CommandRun("roc-data", ["validate", "ava"] + database)
    #expect(lint.status == 4)
    #expect(lint.output.contains("error: record 4: image: 14.jpg: not in the image folder\n"))
  }

  @Test func saysThatADiskIsFull() throws {
    let source = try MadeUpAVA()
    let database = ["--db", source.database]
    _ = try CommandRun("roc-data", ["import", "ava", "--source", source.path] + database)
    let export = try CommandRun(
      "roc-data", ["export", "ava", "--split", "test", "--output", "/dev/full"] + database)
    #expect(export.status == 1)
    #expect(export.errors == "Error: /dev/full: cannot be written: No space left on device\n")
    let lost = try CommandRun(
      "roc-data",
      ["export", "ava", "--split", "test", "--output", "\(source.folder.path)/no/x.json"] + database
    )
    #expect(lost.status == 1 && lost.errors.contains("No such file or directory"))
  }

  /// On a file system of 200 kB, an import must fail as a whole and leave what was there.
  @Test func keepsTheDatabaseWhenItsDiskIsFull() throws {
    let source = try MadeUpAVA(
      labels: (1...30_000).map { MadeUpAVA.row($0 % 50 + 1, id: 100 + $0) }.joined(separator: "\n"))
    let small = "\(source.folder.path)/small"
    try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
    let mount = Process()
    mount.executableURL = URL(fileURLWithPath: "/bin/mount")
    mount.arguments = ["-t", "tmpfs", "-o", "size=400k", "tmpfs", small]
    mount.standardError = FileHandle.nullDevice
    try? mount.run()
    mount.waitUntilExit()
    guard mount.terminationStatus == 0 else {
      print("skipped: mounting a small tmpfs needs root")
      return
    }
    defer {
      let unmount = Process()
      unmount.executableURL = URL(fileURLWithPath: "/bin/umount")
      unmount.arguments = [small]
      try? unmount.run()
      unmount.waitUntilExit()
    }
    let run = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--db", "\(small)/roc.sqlite"])
    #expect(run.status == 1)
    #expect(run.errors.contains("the disk is full; nothing of this step was kept"), "\(run.errors)")
    let list = try CommandRun("roc-data", ["list", "--db", "\(small)/roc.sqlite"])
    #expect(list.status == 0 && list.output == "dataset  split  pictures\n")
  }

  @Test func refusesADatabaseThatCannotBeWritten() throws {
    let source = try MadeUpAVA()
    let run = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--db", "/proc/roc.sqlite"])
    #expect(run.status == 1)
    #expect(run.errors.contains("/proc/roc.sqlite: cannot be opened"), "\(run.errors)")
  }

  /// A kill at any moment leaves the previous state or the whole import, in a sound file, and the
  /// next import completes it to the same rows.
  @Test func survivesAKillAtFiftyMoments() throws {
    let source = try MadeUpAVA(
      labels: (1...4000).map { MadeUpAVA.row($0 % 50 + 1, id: 100 + $0) }.joined(separator: "\n"),
      test: Array(200...900))
    let arguments = ["import", "ava", "--source", source.path, "--db", source.database]
    let clock = ContinuousClock()
    let start = clock.now
    let clean = try CommandRun("roc-data", arguments)
    let duration = clock.now - start
    #expect(clean.status == 0)
    let whole = try content(source.database)
    #expect(whole.count > 8000)
    var states: Set<Int> = []
    for _ in 0..<50 {
      for ending in ["", "-wal", "-shm"] {
        try? FileManager.default.removeItem(atPath: source.database + ending)
      }
      let process = try CommandRun.process("roc-data", arguments)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(UInt32(duration / .microseconds(1) * Double.random(in: 0...1.1)))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if FileManager.default.fileExists(atPath: source.database) {
        let queue = try DatabaseQueue(path: source.database)
        #expect(try queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
        let count = try queue.read { db in
          try db.tableExists("samples")
            ? Int.fetchOne(db, sql: "SELECT count(*) FROM samples") : 0
        }
        #expect(count == 0 || count == 4000)
        states.insert(count ?? -1)
      }
      #expect(try CommandRun("roc-data", arguments).status == 0)
      #expect(try content(source.database) == whole)
    }
    #expect(states.contains(0))
  }

  /// All rows of all tables as text.
  private func content(_ path: String) throws -> [String] {
    try DatabaseQueue(path: path).read { db in
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      return try tables.flatMap { table in
        try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\(table): \($0)" }.sorted()
      }
    }
  }

  @Test func unpacksPicturesAndChecksThemOnTheWay() throws {
    let source = try MadeUpAVA()
    let archive = try source.folder.write(try Fixture.table("hostile.zip"), to: "p.zip")
    let arguments = [
      "import", "ava", "--source", source.path, "--images", archive, "--db", source.database,
    ]
    let first = try CommandRun("roc-data", arguments + ["--json"])
    #expect(
      first.status == 3
        && first.errors.contains(
          "p.zip: entry 2, ../escaped.png: would leave the folder with ..; it was not unpacked")
    )
    #expect(try JSON.parse(first.output)["images_missing"]?.int == 10)
    #expect(
      FileManager.default.fileExists(atPath: "\(source.folder.path)/ava-pictures/photos/good.png"))
    let again = try CommandRun("roc-data", arguments)
    #expect(again.errors.contains("was unpacked into"))
    let missing = try CommandRun(
      "roc-data",
      ["import", "ava", "--source", source.path, "--images", "x.zip", "--db", source.database])
    #expect(missing.status == 6 && missing.errors.contains("x.zip: there is no such file"))
  }

  @Test func mendsAFileAndListsWhatItLeavesOut() throws {
    let folder = try TemporaryFolder()
    let question = "Rate it.\n<|image|>"
    func record(_ image: String, _ score: JSON, _ answer: String) -> JSON {
      [
        "image": .string(image), "gt_score": score,
        "conversations": [
          ["from": "human", "value": .string(question)],
          ["from": "gpt", "value": .string("The quality of the image is \(answer).")],
        ],
      ]
    }
    let records: JSON = .array([
      record("a.jpg", 1, "bad"), record("b.jpg", "4.5 ", "excellent"),
      record("c.jpg", 4.4, "superb"), record("", 3, "fair"),
    ])
    let path = try folder.write(records.line, to: "train.json")
    let check = try CommandRun("roc-data", ["validate", path])
    #expect(check.status == 4 && check.output.contains("record 3: conversations[1].value: "))
    let target = "\(folder.path)/mended.json"
    let fix = try CommandRun("roc-data", ["validate", path, "--fix", "--output", target])
    #expect(fix.status == 3)
    #expect(fix.output.contains("mended: record 2: gt_score \"4.5 \" is now a number\n"))
    #expect(fix.output.contains("mended: record 3: \"superb\" is now \"excellent\""))
    #expect(fix.output.contains("left out: record 4: image: is \"\", expected a file name\n"))
    let mended = try JSON.parse(String(contentsOfFile: target, encoding: .utf8)).array ?? []
    #expect(mended.compactMap { $0["image"]?.string } == ["a.jpg", "b.jpg", "c.jpg"])
    #expect(try CommandRun("roc-data", ["validate", target]).status == 0)
    #expect(try CommandRun("roc-data", ["validate", path, "--fix"]).status == 64)
  }

  @Test func drawsAndDescribesADataset() throws {
    let source = try MadeUpAVA()
    let database = ["--db", source.database]
    _ = try CommandRun("roc-data", ["import", "ava", "--source", source.path] + database)
    let svg = try CommandRun("roc-data", ["stats", "ava", "--svg", "-"] + database)
    #expect(svg.status == 0 && svg.output.hasPrefix("<svg ") && svg.output.contains(">all: votes<"))
    let cards = "\(source.folder.path)/cards"
    #expect(try CommandRun("roc-data", ["card", "ava", "--output", cards] + database).status == 0)
    let card = try String(contentsOfFile: "\(cards)/ava.md", encoding: .utf8)
    #expect(
      card.contains("| official/test | 2 |") || card.contains("| official/test (default) | 2 |"))
    #expect(FileManager.default.fileExists(atPath: "\(cards)/ava.svg"))
  }

  @Test func importsATableWithoutAManifest() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("path\trating\tnote\na.jpg\t3.5\tx\nb.jpg\t\ty\n", to: "mine.tsv")
    let run = try CommandRun(
      "roc-data",
      [
        "import", "table", "--name", "mine", "--source", path, "--min-score", "1", "--max-score",
        "5", "--json", "--db", "\(folder.path)/a.sqlite",
      ])
    #expect(run.status == 0)
    let report = try JSON.parse(run.output)
    #expect(report["dataset"] == "mine" && report["images"]?.int == 1)
    #expect(report["unlabelled"]?["mine.tsv"]?.int == 1)
    let list = try CommandRun("roc-data", ["list", "--json", "--db", "\(folder.path)/a.sqlite"])
    #expect(list.output.contains("\"mine\""))
  }

  /// What has several scores comes back with all of them, and attributes with votes get targets.
  @Test func keepsSeveralScoresAndTheirTargets() throws {
    let folder = try TemporaryFolder()
    let database = ["--db", "\(folder.path)/a.sqlite"]
    let target = Array(repeating: 0.1, count: 20).map(\.description).joined(separator: ", ")
    try folder.write(
      """
      [{"image": "a.jpg", "gt_score": [5.5, 3.5], "conversations": [{"from": "human", "value": "<|image|>Two?"}, {"from": "gpt", "value": "One [SCORE], two [SCORE]. "}], "target": [\(target)]}]
      """, to: "r/train.json")
    #expect(
      try CommandRun("roc-data", ["import", "roc", "--source", "\(folder.path)/r"] + database)
        .status
        == 0)
    let out = "\(folder.path)/out.json"
    let exported = try CommandRun(
      "roc-data", ["export", "roc", "--split", "train", "--output", out] + database)
    #expect(exported.status == 0)
    let record = try JSON.parse(String(contentsOfFile: out, encoding: .utf8)).array?.first
    #expect(record?["gt_score"] == [5.5, 3.5] && record?["target"]?.array?.count == 20)
    #expect(record?["conversations"]?.array?.last?["value"] == "One [SCORE], two [SCORE]. ")
    #expect(try CommandRun("roc-data", ["validate", out, "--num-tokens", "10"]).status == 0)

    let votes = (0..<9).map { "aestheticScore_\(1 + Double($0) / 2)" }.joined(separator: ",")
    let colors = (1...5).map { "colorScore_\($0)" }.joined(separator: ",")
    try folder.write(
      """
      imageName,sessionId,semantic,\(votes),aestheticScore_mean,\(colors),colorScore_mean
      iaa_pub1_.jpg,session1,animal,0,0,0,0,1,0,0,0,1,4.0,0,0,1,0,1,4.0

      """, to: "para/PARA-GiaaTrain.csv")
    _ = try CommandRun(
      "roc-data", ["import", "para", "--source", "\(folder.path)/para"] + database)
    let color = ["export", "para", "--split", "train", "--attribute", "colorScore_mean"] + database
    let plain = try CommandRun("roc-data", color)
    #expect(plain.errors.contains("no target: colorScore_mean has 5 bins"))
    #expect(try JSON.parse(plain.output).array?.first?["target"] == nil)
    let both = try CommandRun("roc-data", color + ["--num-tokens", "9", "--rebin"])
    let targets = try #require(try JSON.parse(both.output).array?.first?["target"]?.array)
    #expect(
      targets.compactMap(\.double) == [
        0, 0, 0, 0, 0.5, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0.5,
      ])
    let file = try folder.write(both.output, to: "both.json")
    let valid = try CommandRun(
      "roc-data",
      ["validate", file, "--num-tokens", "9", "--min-score", "1", "--max-score", "5", "--strict"])
    #expect(valid.status == 0, "\(valid.output)")
    // A deviation is no score on that scale.
    let outside = try CommandRun(
      "roc-data",
      ["export", "para", "--split", "train", "--attribute", "aestheticScore_std"] + database)
    #expect(outside.status == 64)
  }
}
