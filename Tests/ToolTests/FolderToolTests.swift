import Foundation
import RocTestSupport
import Testing

/// `roc-eval score` of folders: nothing is passed over in silence, and names stay on one line.
struct FolderToolTests {
  private let folder: TemporaryFolder
  private var images: String { "\(folder.path)/img" }

  init() throws {
    folder = try TemporaryFolder()
    try picture("a.png")
  }

  private func picture(_ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/rgb_64x64.png")))
    try folder.write(data, to: "img/\(name)")
  }

  private func score(_ arguments: String..., input: String = "") throws -> CommandRun {
    try CommandRun(
      "roc-eval", ["score", "--checkpoint", Fixture.path("tiny-f32")] + arguments, input: input)
  }

  @Test func linksToNothingAreNamed() throws {
    try FileManager.default.createSymbolicLink(
      atPath: "\(images)/b.png", withDestinationPath: "gone.png")
    let run = try score(images)
    #expect(run.status == 3)
    #expect(run.output.split(separator: "\n").count == 1)
    #expect(run.errors.contains("\(images)/b.png: a link to a file that is not there"))
  }

  @Test func contentCountsWhereTheEndingSaysNothing() throws {
    try picture("IMG_1.HEIC")
    try picture("noending")
    try folder.write("no picture", to: "img/notes.txt")
    let run = try score(images)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.split(separator: "\n").count == 3)
    #expect(run.errors.contains("1 files are no pictures that can be read: \(images)/notes.txt"))
  }

  @Test func namesStayOnOneLine() throws {
    try picture("line\nend\t\u{1B}[31m.png")
    let run = try score(images)
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 2 && lines.allSatisfy { $0.split(separator: "\t").count == 2 })
    #expect(run.output.contains(#"line\nend\t\033[31m.png""#))
    #expect(!run.output.contains("\u{1B}"))
    // Such names come through a list that ends names with a zero byte.
    let listed = try score(
      "-z", "-", input: "\(images)/line\nend\t\u{1B}[31m.png\0\(images)/a.png\0")
    #expect(listed.status == 0 && listed.output.split(separator: "\n").count == 2)
  }

  /// Imports and checks of a dataset's pictures say why one is not there.
  @Test func importsNameLinksToNothing() throws {
    try picture("IMG_1.HEIC")
    try FileManager.default.createSymbolicLink(
      atPath: "\(images)/b.png", withDestinationPath: "gone.png")
    let labels = try folder.write(
      "image,score\na.png,1\nb.png,2\nIMG_1.HEIC,3\nc.png,4\n", to: "labels.csv")
    let database = ["--db", "\(folder.path)/t.sqlite"]
    let run = try CommandRun(
      "roc-data", ["import", "table", "--source", labels, "--images", images] + database)
    #expect(run.status == 0 && run.output.contains("pictures missing: 2"))
    #expect(run.errors.contains("Warning: b.png is only a link to a file that is not there\n"))
    #expect(run.errors.contains("\(images)/b.png: a link to a file that is not there"))
    let verified = try CommandRun("roc-data", ["verify-images", "table"] + database)
    #expect(verified.status == 3)
    #expect(verified.output.contains("b.png\tmissing\tonly a link to a file that is not there"))
    #expect(verified.output.contains("c.png\tmissing\tnot in the image folder"))
    #expect(verified.output.contains("IMG_1.HEIC\treadable\t"))
  }

  /// The folders of REAL-CUR are its labels: a picture there is one whatever its ending.
  @Test func picturesThatAreLabelsAreKnownByTheirContent() throws {
    try picture("../cur/alice/5/a.HEIC")
    try folder.write("no picture", to: "cur/alice/4/notes.txt")
    let run = try CommandRun(
      "roc-data",
      [
        "import", "real-cur", "--source", "\(folder.path)/cur", "--db", "\(folder.path)/c.sqlite",
      ])
    #expect(run.status == 0 && run.output.hasPrefix("real-cur: 1 pictures"))
    #expect(run.errors.contains("1 files are no pictures") && run.errors.contains("notes.txt"))
  }

  @Test func listsMayEndNamesWithNUL() throws {
    let labels = try folder.write("image,score\n\"x\ny.png\",1\nb.png,2\n", to: "labels.csv")
    let database = ["--db", "\(folder.path)/t.sqlite"]
    _ = try CommandRun("roc-data", ["import", "table", "--source", labels] + database)
    let list = try folder.write("x\ny.png\0", to: "list")
    let run = try CommandRun(
      "roc-data", ["add-split", "table", "mine", "--test", list] + database)
    #expect(run.status == 0 && run.output.contains("mine/test: 1 pictures"))
  }
}
