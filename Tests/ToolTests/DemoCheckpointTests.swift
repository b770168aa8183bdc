import Foundation
import RocJSON
import RocTestSupport
import Testing

/// What README says of the committed demo checkpoint.
struct DemoCheckpointTests {
  private let checkpoint = "\(Fixture.repository)/Examples/demo-checkpoint"

  @Test func ranksTheTestPicturesOfTheDemo() throws {
    let folder = try TemporaryFolder()
    let demo = "\(folder.path)/demo"
    let database = ["--db", "\(folder.path)/roc.sqlite"]
    #expect(try CommandRun("roc-data", ["demo", "--output", demo]).status == 0)
    let imported = try CommandRun(
      "roc-data", ["import", "ava", "--source", demo, "--images", "\(demo)/images"] + database)
    #expect(imported.status == 0)
    let predictions = "\(folder.path)/predictions.csv"
    let scored = try CommandRun(
      "roc-eval",
      [
        "--checkpoint", checkpoint, "--dataset", "ava", "--split", "test", "--csv", predictions,
        "--resamples", "0",
      ] + database)
    #expect(scored.status == 0, "\(scored.errors)")
    let metrics = try CommandRun("roc-eval", ["metrics", "--predictions", predictions, "--json"])
    let json = try JSON.parse(metrics.output)
    #expect(try #require(json["metrics"]?["srcc"]?.double) >= 0.85)
    #expect(try #require(json["ci95"]?["srcc"]?.array?.first?.double) >= 0.85)
    #expect(
      try String(contentsOfFile: predictions, encoding: .utf8).split(separator: "\n").count == 501)
  }

  /// Whatever the picture, the answer is the sentence that holds the score.
  @Test func saysTheSentenceOfPhotographs() throws {
    let run = try CommandRun(
      "roc-eval",
      [
        "score", "--checkpoint", checkpoint, "--jsonl",
        "\(Fixture.reference)/images/photo_640x427.jpg",
      ])
    #expect(run.status == 0)
    #expect(try #require(JSON.parse(run.output)["score"]?.double) > 1)
    #expect(run.output.contains(#""text": "The aesthetic rate of the image is "#))
  }
}
