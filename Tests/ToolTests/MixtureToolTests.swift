import Foundation
import RocJSON
import RocTestSupport
import Testing

/// Datasets and scales that lie in one folder are never pooled, and `auto` asks where it cannot tell.
struct MixtureToolTests {
  private let folder: TemporaryFolder
  private var database: [String] { ["--db", "\(folder.path)/t.sqlite"] }

  init() throws { folder = try TemporaryFolder() }

  private func records(_ folder: String, _ count: Int, _ largest: Double) -> String {
    let list = (0..<count).map {
      "{\"image\": \"\(folder)/\($0).jpg\", \"gt_score\": \(largest * Double($0 + 1) / Double(count))}"
    }
    return "[\(list.joined(separator: ", "))]"
  }

  @Test func eachSourceOfQAlignsFilesIsADatasetOfItsOwn() throws {
    try folder.write(records("livec", 10, 90), to: "q/test_livec.json")
    try folder.write(records("ava_images", 10, 9), to: "q/test_ava.json")
    let source = "\(folder.path)/q"
    let pooled = try CommandRun("roc-data", ["import", "qalign", "--source", source] + database)
    #expect(pooled.status == 64 && pooled.output.isEmpty)
    #expect(pooled.errors.contains("these files are of 2 datasets"))
    #expect(
      pooled.errors.contains(
        "livec: 10 pictures, scores 9 to 90: roc-data import qalign --source \(source) "
          + "--only-folder livec --name livec"))
    let one = try CommandRun(
      "roc-data",
      ["import", "qalign", "--source", source, "--only-folder", "livec", "--name", "livec"]
        + database)
    #expect(one.status == 0 && one.output.hasPrefix("livec: 10 pictures from 10 rows"))
    // One file that holds both is told apart, too.
    let both = records("livec", 5, 90).dropLast() + ", " + records("ava_images", 5, 9).dropFirst()
    let file = try folder.write(String(both), to: "one/all.json")
    #expect(
      try CommandRun("roc-data", ["import", "qalign", "--source", file] + database).status == 64)
  }

  @Test func filesOfTwoScalesAreRefusedUnlessOneIsStated() throws {
    func rows(_ scale: Double) -> String {
      "image,score\n" + (0..<12).map { "\(scale)-\($0).jpg,\(Double($0 + 1) * scale)\n" }.joined()
    }
    try folder.write(rows(0.05), to: "t/train.csv")
    try folder.write(rows(5), to: "t/test.csv")
    let arguments = ["import", "table", "--name", "t", "--source", "\(folder.path)/t"] + database
    let mixed = try CommandRun("roc-data", arguments)
    #expect(mixed.status == 64 && mixed.errors.contains("look like two scales"))
    let stated = try CommandRun(
      "roc-data", arguments + ["--min-score", "0", "--max-score", "100"])
    #expect(stated.status == 0, "\(stated.errors)")
  }

  @Test func autoListsWhatItFoundAndAsks() throws {
    try folder.write("image,score\na.jpg,1\n", to: "all/tad/merge/test.csv")
    try folder.write(
      "ID,color,MOS,probability\nmonochromatic/red/a.jpg,5,4,0.5\n", to: "all/icaa/1test.csv")
    let several = try CommandRun(
      "roc-data", ["import", "auto", "--source", "\(folder.path)/all"] + database)
    #expect(several.status == 6)
    #expect(several.errors.contains("  roc-data import tad66k --source \(folder.path)/all/tad"))
    #expect(several.errors.contains("  roc-data import icaa17k --source \(folder.path)/all/icaa"))
    let one = try CommandRun(
      "roc-data", ["import", "auto", "--source", "\(folder.path)/all/icaa"] + database)
    #expect(one.status == 0 && one.errors.contains("files of icaa17k"), "\(one.errors)")
  }

  /// A PNG of 16-bit grey, 40 x 40, whose values are above 255.
  @Test func pngsOf16BitGreyAreNamed() throws {
    let data = try #require(
      Data(
        base64Encoded:
          "iVBORw0KGgoAAAANSUhEUgAAACgAAAAoEAAAAAD5BTvyAAAAJklEQVR42u3MMREAAAgAoY9m/1SG0JFjp+lXQqFQKBQKhUKhUHizqQSQEEEnnUEAAAAASUVORK5CYII="
      ))
    let path = try folder.write(data, to: "img/grey.png")
    let file = try folder.write("image,score\ngrey.png,3\n", to: "r.csv")
    _ = try CommandRun(
      "roc-data",
      [
        "import", "table", "--name", "g", "--source", file, "--images", "\(folder.path)/img",
        "--min-score", "1", "--max-score", "5",
      ] + database)
    let verified = try CommandRun("roc-data", ["verify-images", "g"] + database)
    #expect(verified.output.contains("grey16"), "\(verified.output)\(verified.errors)")
    let score = try CommandRun(
      "roc-eval", ["score", "--checkpoint", Fixture.path("tiny-f32"), path])
    #expect(score.status == 0 && score.errors.contains("a PNG of 16-bit grey"), "\(score.errors)")
  }
}
