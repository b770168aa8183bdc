import Foundation
import RocStore
import RocTestSupport
import Testing

/// Where the machine has too little, commands say so; they never wait for ever, end by a signal, or
/// blame files that are good.
struct ScarceMachineTests {
  /// Runs a command under limits of the shell, for at most a minute.
  private static func limited(
    _ limits: String, _ command: String, _ arguments: [String], folder: String
  ) throws -> (status: Int32, text: String) {
    try CommandRun.program(
      "/bin/sh",
      ["-c", "\(limits); exec timeout 60 \"$0\" \"$@\"", "\(try CommandRun.tools())/\(command)"]
        + arguments, folder: folder)
  }

  /// Three thousand pictures, which take a while to look at.
  private static func album(_ folder: TemporaryFolder, count: Int) throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: "\(folder.path)/images", withIntermediateDirectories: true)
    let picture = "\(folder.path)/images/0.jpg"
    try files.copyItem(atPath: Fixture.path("images/photo_640x427.jpg"), toPath: picture)
    var lines = ["image,gt_score"]
    for place in 0..<count {
      if place > 0 {
        try files.linkItem(atPath: picture, toPath: "\(folder.path)/images/\(place).jpg")
      }
      lines.append("\(place).jpg,\(Double(place % 9) + 1)")
    }
    try folder.write(lines.joined(separator: "\n") + "\n", to: "labels.csv")
    let run = try CommandRun(
      "roc-data",
      ["import", "table", "--source", "labels.csv", "--images", "images", "--name", "album"],
      folder: folder.path)
    try #require(run.status == 0, "\(run.errors)")
    try folder.write(
      (0..<count).map { "\($0).jpg" }.joined(separator: "\n") + "\n", to: "train.txt")
    let split = try CommandRun(
      "roc-data", ["add-split", "album", "mine", "--train", "train.txt"], folder: folder.path)
    try #require(split.status == 0, "\(split.errors)")
  }

  @Test(arguments: [
    ("roc-data", ["verify-images", "album"]), ("roc-data", ["list"]),
    (
      "roc-eval",
      ["score", "--checkpoint", "\(Fixture.repository)/Examples/demo-checkpoint", "images"]
    ),
    ("roc-model", ["inspect", "\(Fixture.repository)/Examples/demo-checkpoint"]),
    (
      "roc-train",
      ["--model-name-or-path", "x", "--output-dir", "y", "--data-path", "z", "--image-folder", "i"]
    ),
  ])
  func needsFiles(_ command: String, _ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    try Self.album(folder, count: 3)
    let run = try Self.limited("ulimit -n 14", command, arguments, folder: folder.path)
    #expect(run.status == 1, "\(run.text)")
    #expect(
      run.text.contains("this process may have 14 files open at once, fewer than the 32"),
      "\(run.text)")
    let list = try CommandRun("roc-data", ["verify-images", "album"], folder: folder.path)
    #expect(list.status == 0 && list.errors.contains("3 pictures, 3 readable"), "\(list.errors)")
  }

  /// The limit comes down while pictures are looked at: none of them is called broken.
  @Test func blamesNoPictureForTooFewFiles() throws {
    let folder = try TemporaryFolder()
    try Self.album(folder, count: 3000)
    let run = try CommandRun.program(
      "/bin/sh",
      [
        "-c",
        "\"$0\" verify-images album --jobs 1 & p=$!; sleep 0.3; prlimit --nofile=4 --pid $p; wait $p",
        "\(try CommandRun.tools())/roc-data",
      ], folder: folder.path)
    #expect(run.status == 1, "\(run.text.suffix(400))")
    #expect(run.text.contains("Too many open files") || run.text.contains("cannot be opened"))
    #expect(!run.text.contains("\tunreadable\t"))
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: false)
    let states = try store.samples(try store.dataset("album")).samples.map(\.imageState)
    #expect(states.count == 3000 && states.allSatisfy { $0 == .found || $0 == .readable })
    // The rest is looked at when there are files again, and all are good.
    let again = try CommandRun("roc-data", ["verify-images", "album"], folder: folder.path)
    #expect(again.status == 0 && again.errors.contains("3000 readable, 0 missing or broken"))
  }

  @Test(arguments: ["roc-eval", "roc-train", "roc-data", "roc-model"])
  func endsWithASentenceWhateverTheMemory(_ command: String) throws {
    let folder = try TemporaryFolder()
    try Self.album(folder, count: 6)
    let checkpoint = "\(Fixture.repository)/Examples/demo-checkpoint"
    let arguments = [
      "roc-eval": ["score", "--checkpoint", checkpoint, "images"],
      "roc-train": [
        "--model-name-or-path", checkpoint, "--output-dir", "trained", "--dataset", "album",
        "--split", "mine/train", "--train", "full", "--num-train-epochs", "1", "--ce-weight", "0",
        "--emd-weight", "0",
      ],
      "roc-data": ["verify-images", "album", "--again"],
      "roc-model": ["bench", checkpoint, "--rounds", "1"],
    ]
    var statuses: Set<Int32> = []
    // Below this not even the runtime's libraries start.
    let least = try stride(from: 100, through: 400, by: 3).first { megabytes in
      try Self.limited(
        "ulimit -v \(megabytes << 10)", command, ["--version"], folder: folder.path
      ).status == 0
    }
    for megabytes in stride(from: (try #require(least)) + 6, through: 240, by: 9) {
      try? FileManager.default.removeItem(atPath: "\(folder.path)/trained")
      let run = try Self.limited(
        "ulimit -v \(megabytes << 10)", command, arguments[command] ?? [], folder: folder.path)
      statuses.insert(run.status)
      // 124 would be an endless wait, another number a signal.
      #expect([0, 1, 64].contains(run.status), "\(megabytes) MB: \(run.status): \(run.text)")
      #expect(run.status != 1 || run.text.contains("Error: "), "\(megabytes) MB: \(run.text)")
    }
    #expect(statuses.contains(1), "\(statuses)")
  }
}
