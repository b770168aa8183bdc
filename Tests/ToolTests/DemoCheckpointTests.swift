import Foundation
import RocDigest
import RocJSON
import RocTestSupport
import Testing

/// What docs/demo.md says of the committed demo checkpoint.
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
        "--precision", "f32", "--resamples", "0",
      ] + database)
    #expect(scored.status == 0, "\(scored.errors)")
    let metrics = try CommandRun("roc-eval", ["metrics", "--predictions", predictions, "--json"])
    let json = try JSON.parse(metrics.output)
    #expect(abs(try #require(json["metrics"]?["srcc"]?.double) - 0.8827) < 0.001)
    #expect(try #require(json["ci95"]?["srcc"]?.array?.first?.double) >= 0.85)
    #expect(
      try String(contentsOfFile: predictions, encoding: .utf8).split(separator: "\n").count == 501)
  }

  /// The first twenty updates of make demo-checkpoint's recipe on thirty pictures, through the portable
  /// kernels: another digest here means that the committed checkpoint has to be made anew.
  @Test func isTrainedToTheSameBytesEverywhere() throws {
    let folder = try TemporaryFolder()
    let demo = "\(folder.path)/demo"
    let portable = ["ROC_KERNELS": "portable", "ROC_DB": "\(folder.path)/roc.sqlite"]
    // Without multiplying and adding at once, as the C libraries' functions are on older CPUs.
    let older = [
      "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX,-FMA4", "JSIMD_FORCENONE": "1",
    ]
    for environment in [portable, portable.merging(older) { $1 }] {
      func run(_ command: String, _ arguments: [String]) throws {
        let run = try CommandRun(command, arguments, environment: environment)
        #expect(run.status == 0, "\(run.errors)")
      }
      try run("roc-data", ["demo", "--output", demo, "--images", "30"])
      try run(
        "roc-data",
        ["import", "ava", "--source", demo, "--images", "\(demo)/images", "--replace"])
      try run("roc-model", ["init", "\(folder.path)/start", "--preset", "tiny", "--seed", "1"])
      try run(
        "roc-train",
        [
          "--model-name-or-path", "\(folder.path)/start", "--dataset", "ava", "--split", "train",
          "--output-dir", "\(folder.path)/trained", "--max-steps", "20",
          "--per-device-train-batch-size", "16", "--learning-rate", "1e-3", "--l1-weight", "1",
          "--ce-weight", "1", "--emd-weight", "1", "--seed", "42",
        ])
      #expect(
        try SHA256.of(file: "\(folder.path)/trained/model.safetensors")
          == "f59c08b9969aff709ebe88efbdea0fb3ee080800ebcec07926299934258d3ea9")
      for name in ["demo", "start", "trained"] {
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
      }
    }
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
    #expect(try JSON.parse(run.output)["error"] == .null)
    #expect(run.output.contains(#""text": "The aesthetic rate of the image is "#))
  }
}
