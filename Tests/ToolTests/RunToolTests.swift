import Foundation
import GRDB
import RocJSON
import RocTestSupport
import Testing

/// What runs say about themselves, and what is refused.
struct RunToolTests {
  private let checkpoint = Fixture.path("tiny-f32")
  private let folder: TemporaryFolder
  private var path: String { "\(folder.path)/roc.sqlite" }
  private var database: [String] { ["--db", path] }
  private var scoring: [String] {
    ["--checkpoint", checkpoint, "--dataset", "ava", "--split", "test", "--resamples", "0"]
  }

  init() throws {
    folder = try TemporaryFolder()
    _ = try CommandRun("roc-data", ["demo", "--output", "\(folder.path)/demo", "--images", "60"])
    let run = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--source", "\(folder.path)/demo", "--images",
        "\(folder.path)/demo/images",
      ] + database)
    #expect(run.status == 0)
  }

  private func keys() throws -> [String] {
    try DatabaseQueue(path: path).read {
      try String.fetchAll(
        $0,
        sql: """
          SELECT key FROM predictions JOIN samples ON samples.id = sample ORDER BY key
          """)
    }
  }

  private func put(_ other: String, inPlaceOf name: String) throws {
    let images = "\(folder.path)/demo/images"
    try FileManager.default.removeItem(atPath: "\(images)/\(name)")
    try FileManager.default.copyItem(atPath: "\(images)/\(other)", toPath: "\(images)/\(name)")
  }

  @Test func mergesNothingThatTheDatabaseContradicts() throws {
    #expect(try CommandRun("roc-eval", scoring + database).status == 0)
    let names = try keys()
    let segments = "\(folder.path)/segments"
    #expect(try CommandRun("roc-eval", scoring + database + ["--segments", segments]).status == 0)
    let alike = try CommandRun("roc-eval", ["merge", segments, "--resamples", "0"] + database)
    #expect(alike.status == 0)
    #expect(alike.errors.contains("0 predictions merged, 20 were there already"))
    // The picture changes, and the worker scores it again into the same segment.
    try put(names[1], inPlaceOf: names[0])
    #expect(try CommandRun("roc-eval", scoring + database + ["--segments", segments]).status == 0)
    let refused = try CommandRun("roc-eval", ["merge", segments] + database)
    #expect(refused.status == 4)
    #expect(refused.errors.contains("\(names[0]): the database has the score"))
    #expect(refused.errors.contains("of another content of the picture"))
    let replaced = try CommandRun(
      "roc-eval", ["merge", segments, "--replace", "--resamples", "0"] + database)
    #expect(replaced.status == 0 && replaced.errors.contains("1 predictions merged"))
    let again = try CommandRun("roc-eval", ["merge", segments, "--resamples", "0"] + database)
    #expect(again.status == 0)
  }

  @Test func refusesSharesThatAreNone() throws {
    for text in ["9/3", "foo"] {
      let run = try CommandRun(
        "roc-eval", scoring + database + ["--segments", "\(folder.path)/s"],
        environment: ["ROC_SHARD": text])
      #expect(run.status == 64 && run.errors.contains("ROC_SHARD is \(text)"))
    }
    let alone = try CommandRun(
      "roc-eval", scoring + database, environment: ["ROC_SHARD": "1/2"])
    #expect(alone.status == 64 && alone.errors.contains("goes with --segments"))
  }

  @Test func saysWhichPartOfASplitAFileCovers() throws {
    let csv = "\(folder.path)/all.csv"
    _ = try CommandRun("roc-eval", scoring + database + ["--csv", csv])
    let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
    let part = try folder.write(lines.prefix(11).joined(separator: "\n"), to: "part.csv")
    let run = try CommandRun(
      "roc-eval",
      [
        "metrics", "--predictions", part, "--dataset", "ava", "--split", "test", "--json",
        "--resamples", "100",
      ] + database)
    let result = try JSON.parse(run.output)
    #expect(result["n_expected"]?.int == 20 && result["n_scored"]?.int == 10)
    #expect(result["incomplete"]?.bool == true && result["split"]?["n"]?.int == 20)
    #expect(result["split"]?["name"] == "official/test")
    #expect(result["ci95_method"]?["srcc"] == "BCa")
  }

  @Test func countsAPictureOnce() throws {
    let twice = try folder.write(
      "image,gt_score,score\na,1,2\na,1,2\nb,3,4\nc,6,5\nd,7,8\n", to: "twice.csv")
    let folded = try CommandRun("roc-eval", ["metrics", "--predictions", twice, "--json"])
    #expect(folded.status == 0 && folded.errors.contains("1 records repeat another's picture"))
    #expect(try JSON.parse(folded.output)["n_scored"]?.int == 4)
    let torn = try folder.write(
      "image,gt_score,score\na,1,2\nb,3,4\nb,3,9\nc,6,5\n", to: "torn.csv")
    let refused = try CommandRun("roc-eval", ["metrics", "--predictions", torn])
    #expect(refused.status == 1 && refused.errors.contains("a picture can count only once"))
    let truth = try folder.write("image,gt_score\na,1\na,2\nb,3\n", to: "truth.csv")
    let other = try CommandRun(
      "roc-eval", ["metrics", "--predictions", twice, "--ground-truth", truth])
    #expect(other.status == 1 && other.errors.contains("a has the gt_score 2.0, and 1.0"))
    let better = try folder.write("image,gt_score\na,1\nb,3\nc,6\nd,9\n", to: "better.csv")
    let overruled = try CommandRun(
      "roc-eval", ["metrics", "--predictions", twice, "--ground-truth", better])
    #expect(overruled.errors.contains("1 records have another gt_score"))
  }

  @Test func tellsWhatAComparisonIsBetween() throws {
    _ = try CommandRun("roc-eval", scoring + database + ["--trained-on", "ava:official/test"])
    _ = try CommandRun("roc-eval", scoring + database + ["--question", "How good is it?"])
    let run = try CommandRun(
      "roc-eval",
      ["compare", "1", "2", "--split", "test", "--resamples", "100", "--json"] + database)
    #expect(run.status == 0)
    #expect(run.errors.contains("20 of the 20 pictures are in ava official/test"))
    #expect(run.errors.contains("How good is it?"))
    let results = try JSON.parse(run.output)["results"]?.array
    #expect(results?.count == 2 && results?[0]["run"]?["split"]?["name"] == "official/test")
    #expect(results?[0]["n_expected"]?.int == 20)
    #expect(
      try CommandRun("roc-eval", ["compare", "1", "2", "--threshold", "nan"] + database).status
        == 64)
    // A constant method has no correlation, and says so.
    let level = try folder.write(
      "image,gt_score,score\na,1,5\nb,3,5\nc,6,5\nd,7,5\n", to: "level.csv")
    let slope = try folder.write(
      "image,gt_score,score\na,1,2\nb,3,3\nc,6,\nd,7,8\n", to: "slope.csv")
    let constant = try CommandRun("roc-eval", ["compare", level, slope, "--json"])
    #expect(constant.status == 3)
    let pair = try JSON.parse(constant.output)["comparisons"]?.array?.first
    #expect(pair?["reasons"]?["srcc"] == "first: all predictions are equal")
    #expect(pair?["metrics"]?["srcc"] == nil && pair?["metrics"]?["mae"] != nil)
  }

  @Test func refusesTablesThatSayLessThanTheySeem() throws {
    _ = try CommandRun("roc-eval", scoring + database)
    _ = try CommandRun("roc-eval", scoring + database + ["--question", "How good is it?"])
    let twice = try CommandRun(
      "roc-eval", ["table", "1", "--run", "1", "--run", "2", "--force"] + database)
    #expect(twice.status == 64 && twice.errors.contains("--run 2=NAME"))
    let refused = try CommandRun("roc-eval", ["table", "1", "--run", "1=Ours"] + database)
    #expect(refused.status == 4 && refused.output.isEmpty)
    #expect(refused.errors.contains("has 20 pictures, that of AVA 19930"), "\(refused.errors)")
    let named = ["table", "1", "--run", "1=A", "--run", "2=B", "--format", "markdown", "--force"]
    let both = try CommandRun("roc-eval", named + database)
    #expect(both.status == 0 && both.output.contains("Comparison of 18 methods"))
    let typing = try folder.write(
      "caption: x\ndecimal: 1\ncolumns:\n  - {dataset: AVA, metric: SRCC}\nrows:\n  - {run: 1}\n",
      to: "typing.yaml")
    let wrong = try CommandRun("roc-eval", ["table", typing] + database)
    #expect(wrong.status == 1 && wrong.errors.contains("line 2: decimal is no key of a table"))
    let unknown = try folder.write(
      "caption: x\ncolumns:\n  - {dataset: AVAA, metric: SRCC}\nrows:\n  - {run: 1}\n",
      to: "unknown.yaml")
    let empty = try CommandRun("roc-eval", ["table", unknown] + database)
    #expect(empty.errors.contains("AVAA"), "\(empty.errors)")
    #expect(empty.status != 0)
    #expect(try CommandRun("roc-eval", ["table", unknown, "--run", "1"] + database).status == 64)
    #expect(try CommandRun("roc-eval", ["table", "1", "--output", "x.pdf"]).status == 64)
  }

  @Test func comparesCommentsWithPeoples() throws {
    _ = try CommandRun("roc-eval", scoring + database)
    let names = try keys()
    let comments = names.enumerated().map { place, name in
      let words = place % 2 == 0 ? "lovely light on the water" : "the horizon is tilted a bit"
      return "1#\(name.split(separator: ".")[0])#\(words)#what a view"
    }
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/comments", withIntermediateDirectories: true)
    try folder.write(comments.joined(separator: "\n") + "\n", to: "comments/AVA_Comments_Full.txt")
    let imported = try CommandRun(
      "roc-data",
      [
        "import", "ava-captions", "--source", "\(folder.path)/comments", "--images",
        "\(folder.path)/demo/images",
      ] + database)
    #expect(imported.status == 0, "\(imported.errors)")
    let own = [
      "--checkpoint", checkpoint, "--dataset", "ava-captions", "--split", "test", "--resamples",
      "0",
    ]
    let plain = try CommandRun("roc-eval", own + ["--json"] + database)
    #expect(try JSON.parse(plain.output)["comments"] == .null, "\(plain.errors)")
    // The little checkpoints write no comments, so the answers get some.
    try DatabaseQueue(path: path).write {
      try $0.execute(
        sql: """
          UPDATE predictions SET text = 'The aesthetic rate of the image is 5.0. Lovely light on it.'
          WHERE run = 2 AND sample % 4 > 0
          """)
    }
    let run = try CommandRun("roc-eval", own + ["--json"] + database)
    let found = try #require(try JSON.parse(run.output)["comments"])
    #expect(found["n"]?.int == 20 && (found["without_comment"]?.int ?? 0) > 0)
    #expect(found["source"] == "AVA_Comments_Full")
    // Words that half the pictures have are worth something, the sentence with the score nothing.
    #expect((found["cider"]?.double ?? 0) > 0.05)
    let table = try CommandRun("roc-eval", ["table", "5", "--run", "2=Mine", "--force"] + database)
    #expect(table.output.contains("Mine & Score Prediction \\& Comments Generation"))
  }

  @Test func averagesOverThemes() throws {
    let run = try CommandRun("roc-eval", scoring + ["--json"] + database)
    let themes = try #require(try JSON.parse(run.output)["themes"])
    let each = try #require(themes["each"]?.members)
    #expect(each.count == themes["n"]?.int && each.count > 1)
    let values = each.compactMap { $0.value["srcc"]?.double }
    let average = try #require(themes["mean_srcc"]?.double)
    #expect(abs(average - values.reduce(0, +) / Double(values.count)) < 1e-12)
  }
}
