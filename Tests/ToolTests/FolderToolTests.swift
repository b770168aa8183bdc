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
}
