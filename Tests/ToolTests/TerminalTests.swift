import Foundation
import RocJSON
import RocTestSupport
import Testing

/// Names of strangers' files are shown as names; results for programs hold them exactly.
struct TerminalTests {
  private static let name = "\u{1B}]0;owned\u{7}\u{202E}gpj\n.jpg"

  private static func isClean(_ run: CommandRun) -> Bool {
    (run.output + run.errors).unicodeScalars.allSatisfy { scalar in
      scalar == "\n" || scalar == "\t"
        || !(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar == "\u{202E}")
    }
  }

  @Test func showsNamesOfPicturesAsNames() throws {
    let folder = try TemporaryFolder()
    let images = "\(folder.path)/images"
    try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
    try Data("no picture".utf8).write(to: URL(fileURLWithPath: "\(images)/\(Self.name)"))
    let checkpoint = "\(Fixture.repository)/Examples/demo-checkpoint"
    let lines = try CommandRun("roc-eval", ["score", "--checkpoint", checkpoint, images])
    #expect(lines.status == 3 && Self.isClean(lines), "\(lines.output)")
    #expect(lines.output.contains("\\033]0;owned\\007\\342\\200\\256gpj\\n.jpg\"\tfailed"))
    let json = try CommandRun(
      "roc-eval", ["score", "--checkpoint", checkpoint, "--jsonl", images])
    let object = try JSON.parse(json.output)
    #expect(object["image"]?.string == "\(images)/\(Self.name)")
    let gone = try CommandRun("roc-model", ["inspect", "\(folder.path)/\u{1B}[2J"])
    #expect(gone.status != 0 && Self.isClean(gone), "\(gone.errors)")
  }

  @Test func refusesNamesOfTerminals() throws {
    let folder = try TemporaryFolder()
    func run(_ arguments: [String]) throws -> CommandRun {
      try CommandRun("roc-data", arguments, folder: folder.path)
    }
    let long = String(repeating: "a", count: 5000)
    try folder.write(
      "image,gt_score\n\u{1B}[31mx.jpg,2\n\(long).jpg,3\nok.jpg,4\n", to: "labels.csv")
    let start = Date()
    let labels = try run(["import", "table", "--source", "labels.csv", "--name", "album", "--json"])
    #expect(Date().timeIntervalSince(start) < 10)
    #expect(labels.status == 3)
    let skipped = try JSON.parse(labels.output)["skipped"]?.array ?? []
    #expect(skipped.map { $0["line"]?.int } == [2, 3])
    #expect(skipped.first?["reason"]?.string?.contains("control characters") == true)
    #expect(skipped.last?["reason"]?.string?.contains("5004 bytes, more than the 4096") == true)
    try folder.write("image,gt_score,\u{1B}[31mred\nok.jpg,4,1\n", to: "column.csv")
    let column = try run(["import", "table", "--source", "column.csv", "--name", "other"])
    #expect(column.status != 0 && column.errors.contains("\"\\033[31mred\""), "\(column.errors)")
    try folder.write("ok.jpg\n", to: "list.txt")
    for name in ["", " ", "\u{1B}[2J", "a/b"] {
      let scheme = try run(["add-split", "album", name, "--test", "list.txt"])
      #expect(scheme.status == 64 && Self.isClean(scheme))
      let dataset = try run(["import", "table", "--source", "labels.csv", "--name", name])
      #expect(dataset.status == 64 && Self.isClean(dataset))
    }
  }
}
