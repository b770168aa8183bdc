import Foundation
import RocJSON
import RocTestSupport
import Testing

/// `roc-eval score --output` and `--csv`: files that grow, and that the same command goes on with.
struct ScoreFileToolTests {
  private let folder: TemporaryFolder
  private let pictures = ["a.png", "bad.png", "c.png", "new\nline.png"]
  private var images: String { "\(folder.path)/img" }

  init() throws {
    folder = try TemporaryFolder()
    for name in pictures where name != "bad.png" { try picture(name) }
    try folder.write("no picture", to: "img/bad.png")
  }

  private func picture(_ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/rgb_64x64.png")))
    try folder.write(data, to: "img/\(name)")
  }

  private func score(_ arguments: String...) throws -> CommandRun {
    try CommandRun(
      "roc-eval", ["score", "--checkpoint", Fixture.path("tiny-f32"), images] + arguments)
  }

  private func lines(_ path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func goesOnWhereItStopped() throws {
    let path = "\(folder.path)/scores.jsonl"
    let first = try score("--output", path)
    #expect(first.status == 3 && first.output.isEmpty)
    let whole = try lines(path)
    let names = try whole.map { try JSON.parse($0)["image"]?.string ?? "" }
    #expect(names == pictures.map { "\(images)/\($0)" })
    #expect(try JSON.parse(whole[1])["score"]?.isNull == true)
    // A kill left the beginning of a record; what failed is tried again, in its place.
    try picture("bad.png")
    let torn = whole[..<3].joined(separator: "\n") + "\n{\"schema\": \"roc/sco"
    try torn.write(toFile: path, atomically: false, encoding: .utf8)
    let second = try score("--output", path)
    #expect(second.status == 0 && second.errors.contains("2 of these pictures are scored there"))
    let after = try lines(path)
    #expect(try after.map { try JSON.parse($0)["image"]?.string ?? "" } == names)
    #expect(after[0] == whole[0] && after[2] == whole[2] && after[3] == whole[3])
    #expect(try JSON.parse(after[1])["score"] == JSON.parse(after[0])["score"])
    // All there: nothing is scored, nothing changes.
    let third = try score("--output", path)
    #expect(third.status == 0 && third.errors.contains("4 of these pictures"))
    #expect(try lines(path) == after)
    // Answers of another question or precision never stand beside these.
    for other in [["--question", "How nice is it?"], ["--precision", "int8"]] {
      let refused = try score("--output", path, other[0], other[1])
      #expect(refused.status == 64 && refused.errors.contains("another checkpoint, question"))
    }
    #expect(try lines(path) == after)
    let foreign = try folder.write("image\tscore\n", to: "foreign.tsv")
    #expect(try score("--output", foreign).status == 64)
    #expect(try String(contentsOfFile: foreign, encoding: .utf8) == "image\tscore\n")
  }

  @Test func writesCSVThatMetricsReads() throws {
    let path = "\(folder.path)/scores.csv"
    #expect(try score("--csv", path).status == 3)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
      text.hasPrefix("image,score,p1,p2,p3,p4,p5,p6,p7,p8,p9,p10,scores,text,error,modified,run\n"))
    #expect(text.contains("\"\(images)/new\nline.png\","))
    // A cut in the middle of a name with a line end.
    let end = try #require(text.firstRange(of: "/new\n"))
    try String(text[..<end.upperBound]).write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try score("--csv", path).status == 3)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    #expect(try score("--csv", "-").output == text)
    #expect(try score("--csv", "-", "--output", "x").status == 64)
    let truth = try folder.write(
      "image,gt_score\na.png,1\nc.png,2\n\"new\nline.png\",3\n", to: "truth.csv")
    let metrics = try CommandRun(
      "roc-eval",
      ["metrics", "--predictions", path, "--ground-truth", truth, "--resamples", "100", "--json"])
    #expect(try JSON.parse(metrics.output)["n_scored"]?.int == 3, "\(metrics.errors)")
  }

  /// What is no file of answers is left as it is, whatever it lacks at its end.
  @Test func neverEmptiesSomebodysFile() throws {
    for (text, flag) in [
      (#"[{"image": "a"}]"#, "--output"), ("\"line1\nline2\nprecious\n", "--csv"),
      ("precious", "--csv"), ("{\"schema\": 1}\n", "--output"), ("{", "--output"),
      ("image", "--csv"), (#"{"schema": "roc/score/1", "image": "a", "run": "x"}"#, "--output"),
    ] {
      let path = try folder.write(text, to: "mine")
      let run = try score(flag, path)
      #expect(run.status == 64, "\(run.errors)")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }
  }

  @Test func keepsFailuresOfPicturesThatAreNotNamedAgain() throws {
    let path = "\(folder.path)/scores.jsonl"
    func one(_ name: String) throws -> CommandRun {
      try CommandRun(
        "roc-eval",
        [
          "score", "--checkpoint", Fixture.path("tiny-f32"), "--output", path, "\(images)/\(name)",
        ])
    }
    #expect(try one("bad.png").status == 3)
    #expect(try one("a.png").status == 0)
    #expect(try lines(path).count == 2 && lines(path)[0].contains("not_a_picture"))
    // A picture that is newer than its answer is scored again, in its place.
    try picture("bad.png")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: 60)], ofItemAtPath: "\(images)/a.png")
    let again = try one("a.png")
    #expect(again.status == 0 && !again.errors.contains("scored there already"))
    #expect(try lines(path).count == 2 && lines(path)[1].contains("a.png"))
  }

  /// A last record without a line end is whole; remarks behind the records are somebody's.
  @Test func endsOfFilesAreReadWithCare() throws {
    let path = "\(folder.path)/scores.jsonl"
    #expect(try score("--output", path).status == 3)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try String(text.dropLast()).write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try score("--output", path).errors.contains("3 of these pictures"))
    #expect(try lines(path).count == 4)
    let noted = text + "my own notes"
    try noted.write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try score("--output", path).status == 64)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == noted)
    // Replaced and killed in between: the later record of a picture counts, and stays alone.
    let again = text + text.split(separator: "\n")[0] + "\n"
    try again.write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try score("--output", path).status == 3)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test func writesToDevicesAndThroughLinks() throws {
    #expect(try score("--output", "/dev/null").status == 3)
    #expect(try score("--csv", "/dev/stdout").output.hasPrefix("image,score,"))
    let full = try score("--output", "/dev/full")
    #expect(full.status == 1 && full.errors.contains("cannot be written"))
    let real = try folder.write("", to: "real.csv")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: real)
    let link = "\(folder.path)/link.csv"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real.csv")
    #expect(try score("--csv", link).status == 3)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real.csv")
    #expect(try String(contentsOfFile: real, encoding: .utf8).hasPrefix("image,score,"))
    let mode = try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions]
    #expect((mode as? NSNumber)?.intValue == 0o600)
  }
}
