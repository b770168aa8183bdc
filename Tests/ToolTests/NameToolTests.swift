import Foundation
import RocJSON
import RocTestSupport
import Testing

/// Names through the commands: two Unicode forms are two names, near ones get a hint and a flag, and
/// predictions join as pictures do.
struct NameToolTests {
  private static let composed = "caf\u{E9}.png"
  private static let decomposed = "cafe\u{301}.png"
  private let folder: TemporaryFolder
  private var database: [String] { ["--db", "\(folder.path)/t.sqlite"] }

  init() throws { folder = try TemporaryFolder() }

  private func importTable(_ rows: String, _ arguments: String...) throws -> CommandRun {
    let file = try folder.write("image,score,split\n" + rows, to: "ratings.csv")
    return try CommandRun(
      "roc-data",
      [
        "import", "table", "--name", "mine", "--source", file, "--min-score", "1", "--max-score",
        "5", "--json",
      ] + arguments + database)
  }

  /// What the database says of each picture.
  private func states() throws -> [String] {
    let run = try CommandRun("roc-data", ["verify-images", "mine"] + database)
    return run.output.split(separator: "\n").map(String.init)
  }

  @Test func anotherUnicodeFormIsAnotherFileUntilLooseNamesAreAskedFor() throws {
    let picture = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/rgb_64x64.png")))
    try folder.write(picture, to: "img/\(Self.decomposed)")
    try folder.write(picture, to: "img/b.png")
    let rows = "\(Self.composed),3,test\nb.png,4,test\n"
    let strict = try importTable(rows, "--images", "\(folder.path)/img")
    // What is said to be missing is missing for all commands that follow.
    #expect(try JSON.parse(strict.output)["images_missing"]?.int == 1)
    #expect(strict.errors.contains("differs from"))
    #expect(strict.errors.contains("only in its Unicode form; --loose-names takes them"))
    let missing = try states()
    #expect(missing.count == 1 && missing[0].hasPrefix("\(Self.composed)\tmissing\t"), "\(missing)")
    let loose = try importTable(rows, "--images", "\(folder.path)/img", "--loose-names")
    #expect(try JSON.parse(loose.output)["images_missing"]?.int == 0)
    #expect(try states().isEmpty)
  }

  @Test func bothFormsTogetherAreTwoPictures() throws {
    let picture = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/rgb_64x64.png")))
    for name in [Self.composed, Self.decomposed] { try folder.write(picture, to: "img/\(name)") }
    let run = try importTable(
      "\(Self.composed),3,test\n\(Self.decomposed),4,test\n", "--images", "\(folder.path)/img")
    let report = try JSON.parse(run.output)
    #expect(report["images"]?.int == 2 && report["images_missing"]?.int == 0)
    let predictions = try folder.write(
      "image,gt_score,score\n\(Self.composed),3,3.1\n\(Self.decomposed),4,3.9\nb,2,2\nc,5,4\n",
      to: "pred.csv")
    let metrics = try CommandRun("roc-eval", ["metrics", "--predictions", predictions, "--json"])
    #expect(metrics.status == 0, "\(metrics.errors)")
    #expect(try JSON.parse(metrics.output)["n_scored"]?.int == 4)
    let joined = try CommandRun(
      "roc-eval",
      ["metrics", "--predictions", predictions, "--dataset", "mine", "--json"] + database)
    #expect(try JSON.parse(joined.output)["n_scored"]?.int == 2)
  }

  @Test func idsOfSpreadsheetsJoinByOneRule() throws {
    let rows = (0..<6).map { "95361\($0).jpg,\(1 + Double($0) / 2),test\n" }.joined()
    #expect(try importTable(rows).status == 0)
    let ids = (0..<6).map { "95361\($0).0" }
    let predictions = try folder.write(
      "image_id,prediction\n"
        + ids.map { "\($0),3.\($0.dropFirst(5).prefix(1))" }
        .joined(separator: "\n") + "\n9.5362E+05,2\n", to: "pred.csv")
    let run = try CommandRun(
      "roc-eval",
      ["metrics", "--predictions", predictions, "--dataset", "mine", "--json"] + database)
    #expect(try JSON.parse(run.output)["n_scored"]?.int == 6, "\(run.errors)")
    #expect(run.status == 3 && run.errors.contains("a spreadsheet has rounded this id"))
    let list = try folder.write(ids.joined(separator: "\n") + "\n9.5362E+05\n", to: "list.txt")
    let split = try CommandRun(
      "roc-data", ["add-split", "mine", "own", "--test", list] + database)
    #expect(split.output.contains("own/test: 6 pictures") && split.status == 3)
    #expect(split.errors.contains("a spreadsheet has rounded this id"))
    // AVA's lists are read by the same rule.
    let rows15 = (0..<6).map { "\($0 + 1) 95361\($0) 0 1 5 17 38 36 15 6 5 1 1 22 1396\n" }
    try folder.write(rows15.joined(), to: "ava/AVA.txt")
    try folder.write(
      "953611.0\n9.53612E+05\n9.5362E+05\n", to: "ava/aesthetics_image_lists/generic_test.jpgl")
    let ava = try CommandRun(
      "roc-data", ["import", "ava", "--source", "\(folder.path)/ava"] + database)
    #expect(ava.status == 3 && ava.output.contains("official/test: 2"), "\(ava.output)")
  }

  @Test func fileNamesWithTheTruthJoinInMetrics() throws {
    let rows = (0..<4).map { "farm1_\($0)_b.jpg,\($0 + 1),test\n" }.joined()
    #expect(try importTable(rows).status == 0)
    let lines = (0..<4).map { "0.\($0)00_farm1_\($0)_b.jpg,\($0)" }.joined(separator: "\n")
    // pandas writes a series under a header without a name.
    let predictions = try folder.write(",0\n\(lines)\n", to: "series.csv")
    let run = try CommandRun(
      "roc-eval",
      ["metrics", "--predictions", predictions, "--dataset", "mine", "--json"] + database)
    #expect(run.status == 0, "\(run.errors)")
    let found = try JSON.parse(run.output)
    #expect(found["n_scored"]?.int == 4 && found["n_failed"]?.int == 0)
  }

  @Test func picturesOutsideTheSplitAreNoFailures() throws {
    let rows = (0..<9).map { "\($0).png,\(1 + $0 % 5),\($0 < 3 ? "train" : "test")\n" }.joined()
    #expect(try importTable(rows).status == 0)
    let file = try folder.write((0..<3).map { "\($0).png" }.joined(separator: "\n"), to: "a.txt")
    let rest = try folder.write((3..<9).map { "\($0).png" }.joined(separator: "\n"), to: "b.txt")
    _ = try CommandRun(
      "roc-data", ["add-split", "mine", "own", "--train", file, "--test", rest] + database)
    let predictions = try folder.write(
      "image,score\n" + (0..<9).map { "\($0).png,\(1 + Double(($0 * 7) % 9) / 2)\n" }.joined(),
      to: "pred.csv")
    let run = try CommandRun(
      "roc-eval",
      ["metrics", "--predictions", predictions, "--dataset", "mine", "--split", "own/test"]
        + database)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("6 of 6 records scored, 0 failed"))
    #expect(run.output.contains("3 further records are of pictures outside the split"))
  }

  @Test func aNameOfAnotherPartMeansNoPictureOfTheSplit() throws {
    let rows = ["train", "test"].map { part in
      (0..<9).map { "\(part)/\($0).png,\(part == "test" ? 5 - $0 % 4 : 1 + $0 % 4),\(part)\n" }
        .joined()
    }
    #expect(try importTable(rows.joined()).status == 0)
    let lists = try ["train", "test"].map { part in
      try folder.write(
        (0..<9).map { "\(part)/\($0).png" }.joined(separator: "\n"), to: "\(part).txt")
    }
    _ = try CommandRun(
      "roc-data", ["add-split", "mine", "own", "--train", lists[0], "--test", lists[1]] + database)
    func scored(_ parts: [String]) throws -> JSON {
      let lines = parts.flatMap { part in (0..<9).map { "\(part)/\($0).png,\(1 + $0 % 4)\n" } }
      let file = try folder.write("image,score\n" + lines.joined(), to: "p.csv")
      let run = try CommandRun(
        "roc-eval",
        ["metrics", "--predictions", file, "--dataset", "mine", "--split", "own/test", "--json"]
          + database)
      #expect(run.status == 0, "\(run.errors)")
      return try JSON.parse(run.output)
    }
    let train = try scored(["train"])
    #expect(train["n_scored"]?.int == 0 && train["n_outside_split"]?.int == 9)
    let both = try scored(["train", "test"])
    #expect(both["n_scored"]?.int == 9 && both["n_outside_split"]?.int == 9)
    #expect(both["metrics"]?["srcc"]?.double ?? 0 < -0.9)
  }

  @Test func scalesThatCannotBeOneAreNamed() throws {
    func errors(_ scale: Double, _ arguments: String...) throws -> String {
      let rows = (0..<20).map { "\($0),\($0 * 5),\(Double(($0 * 7) % 20) * scale)\n" }.joined()
      let file = try folder.write("image,gt_score,score\n" + rows, to: "scaled.csv")
      return try CommandRun("roc-eval", ["metrics", "--predictions", file] + arguments).errors
    }
    #expect(try errors(0.05).contains("--map 0:1=0:100 maps them"))
    #expect(try !errors(5).contains("--map"))
    #expect(try !errors(0.05, "--map", "0:1=0:100").contains("--map"))
  }

  @Test func numbersAsPyTorchPrintsThemAndNoiseOfRounding() throws {
    let file = try folder.write(
      """
      image,gt_score,score
      a,1,tensor([[1.5]])
      b,2,"tensor([2.5], device='cuda:0')"
      c,3,[2]
      d,4,4
      """, to: "tensors.csv")
    let run = try CommandRun("roc-eval", ["metrics", "--predictions", file, "--json"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try JSON.parse(run.output)["n_scored"]?.int == 4)
    let noise = try folder.write(
      "image,gt_score,score\na,1,3.0000000000000004\nb,2,3\nc,4,3.000000000000001\nd,3,3\n",
      to: "noise.csv")
    let flat = try JSON.parse(
      CommandRun("roc-eval", ["metrics", "--predictions", noise, "--json"]).output)
    #expect(flat["metrics"]?["srcc"]?.isNull == true)
    #expect(flat["reasons"]?["srcc"]?.string?.contains("equal up to rounding") == true)
  }

  /// A comparison of errors over two scales looks like any other.
  @Test func compareTellsOfPredictionsOnAnotherScale() throws {
    let folder = try TemporaryFolder()
    func file(_ scale: Double, _ name: String) throws -> String {
      try folder.write(
        "image,gt_score,score\n"
          + (1...12).map { "p\($0).jpg,\($0 * 8),\(Double($0) * scale + Double($0 % 3))\n" }
          .joined(),
        to: name)
    }
    let labels = try file(8, "hundred.csv")
    let small = try file(0.3, "ten.csv")
    let run = try CommandRun("roc-eval", ["compare", labels, small, "--resamples", "100"])
    #expect(run.status == 0)
    #expect(run.errors.contains("Warning: \(small): scores from"))
    #expect(
      run.errors.contains("roc-eval metrics --map") && !run.errors.contains("Warning: \(labels)"))
  }
}
