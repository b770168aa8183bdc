import Foundation
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
        == "\(file): 2 records, 0 errors, 0 warnings\npictures were not checked (no --images)\n")
    let short = try CommandRun("roc-data", ["validate", file, "--num-tokens", "5"])
    #expect(short.status == 4)
    #expect(
      short.output.hasPrefix("error: record 1: target: 10 values, expected 5 (num_tokens)\n"))
    let stored = try CommandRun("roc-data", ["validate", "ava"] + database)
    #expect(stored.status == 0 && stored.output.hasPrefix("ava: 10 records, 0 errors, 0 warnings"))
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
        == "Warning: AVA.txt:2: \"broken\" is not a whole number; the line was set aside\n")
    #expect(
      try JSON.parse(run.output)["skipped"]?.array?.first?.line
        == "{\"file\": \"AVA.txt\", \"line\": 2, \"reason\": \"\\\"broken\\\" is not a whole number\"}"
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

  /// A kill at any moment leaves the previous state or the whole import.
  @Test func survivesAKillDuringAnImport() throws {
    let source = try MadeUpAVA(
      labels: (1...4000).map { MadeUpAVA.row($0 % 50 + 1, id: 100 + $0) }.joined(separator: "\n"))
    let arguments = ["import", "ava", "--source", source.path, "--db", source.database]
    var sizes: Set<Int> = []
    for milliseconds in [5, 15, 30, 50, 80, 120, 200] {
      try? FileManager.default.removeItem(atPath: source.database)
      let process = try CommandRun.process("roc-data", arguments)
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      usleep(UInt32(milliseconds * 1000))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let list = try CommandRun("roc-data", ["list", "--json", "--db", source.database])
      let images =
        list.status == 6
        ? 0 : try JSON.parse(list.output)["datasets"]?.array?.first?["images"]?.int ?? 0
      #expect(images == 0 || images == 4000)
      sizes.insert(images)
      #expect(try CommandRun("roc-data", arguments).status == 0)
      let whole = try CommandRun("roc-data", ["stats", "ava", "--json", "--db", source.database])
      #expect(try JSON.parse(whole.output)["n"]?.int == 4000)
    }
    #expect(sizes.contains(0))
  }
}
