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
    // A folder above both changes nothing; nor does a name that was given; an unknown folder is named.
    try folder.write(records("img/livec", 10, 90), to: "p/test_livec.json")
    try folder.write(records("img/ava_images", 10, 9), to: "p/test_ava.json")
    let deeper = ["import", "qalign", "--source", "\(folder.path)/p"] + database
    let parent = try CommandRun("roc-data", deeper + ["--name", "both"])
    #expect(parent.status == 64)
    #expect(parent.errors.contains("roc-data import qalign --source"))
    let inner = try CommandRun(
      "roc-data", deeper + ["--only-folder", "ava_images", "--name", "inner"])
    #expect(inner.status == 0 && inner.output.hasPrefix("inner: 10 pictures from 10 rows"))
    let nobody = try CommandRun("roc-data", deeper + ["--only-folder", "nope", "--name", "n"])
    #expect(nobody.status == 6 && nobody.errors.contains("the folders are ava_images, livec"))
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

  @Test func theSamePicturesUnderOtherNamesStopAnImport() throws {
    func rows(_ prefix: String, _ header: String) -> String {
      header + (0..<20).map { "\(prefix)farm1_\($0)_b.jpg,0.\($0 + 10)\n" }.joined()
    }
    let lists = (0..<20).map { "farm1_\($0)_b.jpg 0.\($0 + 10)\n" }.joined()
    for part in ["Validation", "TestNew"] {
      try folder.write(lists, to: "aadb/imgList\(part)Regression_score.txt")
    }
    // A copy that the manifest knows: its folders are no part of the names.
    try folder.write(
      rows("AADB/datasetImages_originalSize/", "dis_img_path,score\n"), to: "copy/AADB.txt")
    for source in ["aadb", "copy"] {
      let run = try CommandRun(
        "roc-data", ["import", "aadb", "--source", "\(folder.path)/\(source)"] + database)
      #expect(run.status == 0, "\(run.errors)")
    }
    let list = try JSON.parse(CommandRun("roc-data", ["list", "--json"] + database).output)
    #expect(list["datasets"]?.array?.first?["images"]?.int == 20)
    // One that nobody knows stops, and says which names are which.
    let first = try folder.write(rows("", "image,score\n"), to: "a.csv")
    let second = try folder.write(rows("other/place/", "image,score\n"), to: "b.csv")
    let table = ["import", "table", "--name", "t", "--min-score", "0", "--max-score", "1"]
    #expect(try CommandRun("roc-data", table + ["--source", first] + database).status == 0)
    let again = try CommandRun("roc-data", table + ["--source", second] + database)
    #expect(again.status == 64)
    #expect(again.errors.contains("20 of the 20 pictures of b.csv are known under other names"))
    #expect(again.errors.contains("other/place/farm1_"))
    let forced = try CommandRun(
      "roc-data", table + ["--source", second, "--allow-same-names"] + database)
    #expect(forced.status == 0)
  }

  /// What spreadsheets of other countries write.
  @Test(arguments: [
    "sep=;\nimage;score\na.jpg;1.5\nb.jpg;2.25\n", "image;score\na.jpg;1,5\nb.jpg;2,25\n",
    "\u{FEFF}sep=;\r\nimage;score\r\na.jpg;1,5\r\nb.jpg;2,25\r\n",
    "image\tscore\na.jpg\t1,5\nb.jpg\t2,25\n", "sep=,\nimage,score\na.jpg,1.5\nb.jpg,2.25\n",
  ])
  func spreadsheetsOfOtherCountriesAreRead(_ text: String) throws {
    let file = try folder.write(text, to: "r.csv")
    let run = try CommandRun(
      "roc-data", ["import", "table", "--name", "t", "--source", file, "--json"] + database)
    #expect(run.status == 0, "\(run.errors)")
    let scores = try JSON.parse(run.output)["gt_score"]
    #expect(scores?["min"]?.double == 1.5 && scores?["max"]?.double == 2.25)
  }

  @Test func aCommaIsNoPointWhereItSeparates() throws {
    let file = try folder.write("image,score\na.jpg,\"1,5\"\nb.jpg,2\n", to: "r.csv")
    let run = try CommandRun(
      "roc-data", ["import", "table", "--name", "t", "--source", file] + database)
    #expect(run.status == 3 && run.errors.contains("score is \"1,5\", expected a number"))
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
