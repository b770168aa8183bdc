import Foundation
import RocCheckpoint
import RocJSON
import RocTestSupport
import Testing

/// LLaVA-1.5 and Qwen2-VL through the commands, as their users run them.
struct BackboneToolTests {
  private static let images = Fixture.backbone("training/images")
  private static let samples = Fixture.backbone("training/varied.samples.json")
  private static let picture = Fixture.path("images/photo_640x427.jpg")

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func score(
    _ checkpoint: String, _ arguments: [String] = []
  ) throws -> (run: CommandRun, line: JSON) {
    let run = try CommandRun(
      "roc-eval",
      ["score", "--checkpoint", checkpoint, "--precision", "f32", "--jsonl", Self.picture]
        + arguments)
    return (run, try JSON.parse(run.output.isEmpty ? "null" : run.output))
  }

  private func train(
    _ model: String, _ output: String, _ arguments: [String]
  ) throws -> CommandRun {
    try CommandRun(
      "roc-train",
      [
        "--model-name-or-path", model, "--data-path", Self.samples, "--image-folder", Self.images,
        "--output-dir", output, "--l1-weight", "1", "--ce-weight", "1", "--emd-weight", "1",
        "--per-device-train-batch-size", "4", "--learning-rate", "2e-3",
      ] + arguments)
  }

  /// Ten steps of the reference's training, and the answers of the model that is written.
  @Test(arguments: [
    ("llava-hf", "llava-hf-f32"), ("llava-original", "llava-original-f16"),
    ("qwen2vl", "qwen2vl-f32"),
  ])
  func trainsAsTheReferenceDoes(_ name: String, _ checkpoint: String) throws {
    let golden = try Fixture.json(Fixture.backbone("training/\(name).golden.json"))
    let run = try #require(golden["runs"]?.array?.first { $0["name"] == "cosine_clip1" })
    let output = "\(folder.path)/out"
    let trained = try train(
      Fixture.backbone(checkpoint), output,
      [
        "--jsonl", "--max-steps", "10", "--lr-scheduler-type", "cosine", "--warmup-ratio", "0.03",
        "--max-grad-norm", "1", "--order", try folder.write("1 2 3 4", to: "order.txt"),
      ])
    #expect(trained.status == 0, "\(trained.errors)")
    let lines = try trained.output.split(separator: "\n").map { try JSON.parse(String($0)) }
    let history = try #require(run["history"]?.array)
    #expect(lines.count == history.count && lines.count == 10)
    for (line, expected) in zip(lines, history) {
      for (name, other) in [("loss", "loss"), ("loss_text", "text"), ("grad_norm", "grad_norm")] {
        let (found, wanted) = (
          try #require(line[name]?.double), try #require(expected[other]?.double)
        )
        #expect(abs(found - wanted) <= 1e-3 * abs(wanted) + 1e-6, "\(line.line) \(name)")
      }
    }
    for answer in try #require(run["answers_after"]?.members) {
      let scored = try CommandRun(
        "roc-eval",
        [
          "score", "--checkpoint", output, "--precision", "f32", "--jsonl",
          Fixture.path("images/\(answer.name)"),
        ])
      let found = try JSON.parse(scored.output)["scores"]?.array?.compactMap(\.double) ?? []
      let wanted = answer.value["scores"]?.array?.compactMap(\.double) ?? []
      #expect(found.first.map { abs($0 - (wanted.first ?? 0)) <= 5e-3 } == true, "\(answer.name)")
    }
  }

  /// Low-rank updates belong to the language model: CLIP's projections have the same names.
  @Test func updatesTheLanguageModelOnly() throws {
    let output = "\(folder.path)/adapter"
    let trained = try train(
      Fixture.backbone("llava-hf-f32"), output, ["--train", "lora", "--max-steps", "2"])
    #expect(trained.status == 0, "\(trained.errors)")
    let settings = try JSON.parse(
      String(contentsOfFile: "\(output)/adapter_config.json", encoding: .utf8))
    let modules = try #require(settings["target_modules"]?.array).compactMap(\.string)
    #expect(modules.count == 14)
    #expect(modules.allSatisfy { $0.hasPrefix("language_model.model.layers.") })
    #expect(try score(output).line["score"]?.double != nil)
    let merged = try CommandRun(
      "roc-model", ["convert", output, "\(folder.path)/merged", "--dtype", "f32"])
    #expect(merged.status == 0, "\(merged.errors)")
    #expect(
      try score("\(folder.path)/merged").line["score"] == score(output).line["score"])
  }

  /// Score rows alone are trained where they stand, which is not at the end of the table.
  @Test(arguments: Fixture.backbones)
  func trainsTheScoreRows(_ name: String) throws {
    let output = "\(folder.path)/head"
    let trained = try train(
      Fixture.backbone(name), output,
      ["--train", "head", "--num-train-epochs", "5", "--db", "\(folder.path)/states.sqlite"])
    #expect(trained.status == 0, "\(trained.errors)")
    let (old, new) = (
      try Checkpoint(folder: Fixture.backbone(name)), try Checkpoint(folder: output)
    )
    let config = try old.json("config.json")
    let ids =
      try #require(config["output_first_id"]?.int)...(try #require(config["output_last_id"]?.int))
    let head = name == "llava-hf-f32" ? "language_model.lm_head.weight" : "lm_head.weight"
    let (before, after) = (
      try #require(old[head]).widened, try #require(new[head]).widened
    )
    let width = try #require(old[head]).shape[1]
    for row in 0..<before.count / width {
      let isSame =
        before[row * width..<(row + 1) * width] == after[row * width..<(row + 1) * width]
      #expect(isSame != ids.contains(row), "row \(row)")
    }
    #expect(try score(output).line["score"]?.double != nil)
  }

  /// Original LLaVA as it is released: the tower is a model of its own, in the Hub's cache.
  @Test func findsATowerInTheHubCache() throws {
    let source = Fixture.backbone("llava-original-f16")
    let path = "\(folder.path)/llava"
    try FileManager.default.copyItem(atPath: source, toPath: path)
    let snapshot = "\(folder.path)/hub/models--openai--clip-tiny/snapshots/1a2b"
    try FileManager.default.createDirectory(
      atPath: snapshot, withIntermediateDirectories: true)
    try FileManager.default.removeItem(atPath: snapshot)
    try FileManager.default.moveItem(atPath: "\(path)/clip", toPath: snapshot)
    let file = "\(path)/config.json"
    let members = try JSON.parse(String(contentsOfFile: file, encoding: .utf8)).members ?? []
    try JSON.object(
      members.map {
        $0.name == "mm_vision_tower" ? JSON.Member($0.name, "openai/clip-tiny") : $0
      }
    ).pretty.write(toFile: file, atomically: true, encoding: .utf8)
    let arguments = [
      "score", "--checkpoint", path, "--precision", "f32", "--jsonl", Self.picture,
    ]
    let run = try CommandRun(
      "roc-eval", arguments, environment: ["HF_HUB_CACHE": "\(folder.path)/hub"])
    #expect(try JSON.parse(run.output)["score"] == score(source).line["score"], "\(run.errors)")
    let bare = try CommandRun(
      "roc-eval", arguments, environment: ["HF_HUB_CACHE": "\(folder.path)/none"])
    #expect(
      bare.status == 5 && bare.errors.contains("huggingface-cli download openai/clip-tiny"),
      "\(bare.errors)")
  }

  /// A second training into one folder finds the first one's tower there.
  @Test func trainsTwiceIntoOneFolder() throws {
    let output = "\(folder.path)/out"
    for steps in ["1", "2"] {
      let trained = try train(
        Fixture.backbone("llava-original-f16"), output,
        ["--max-steps", steps, "--overwrite-output-dir"])
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(try score(output).run.status == 0)
    }
  }

  /// Fewer pixels are another picture; a model of one size has no such limit.
  @Test func limitsPixels() throws {
    let qwen = Fixture.backbone("qwen2vl-f32")
    let (whole, small) = (try score(qwen), try score(qwen, ["--max-pixels", "4704"]))
    #expect(whole.run.status == 0 && small.run.status == 0)
    #expect(whole.line["score"] != small.line["score"])
    let low = try score(qwen, ["--max-pixels", "100"]).run
    #expect(low.status == 64 && low.errors.contains("expected at least 3136"), "\(low.errors)")
    let other = try score(Fixture.backbone("llava-hf-f32"), ["--max-pixels", "4704"]).run
    #expect(other.status == 64 && other.errors.contains("56 x 56 pixels"), "\(other.errors)")
    let trained = try train(
      qwen, "\(folder.path)/out", ["--max-steps", "1", "--max-pixels", "6272"])
    #expect(trained.status == 0, "\(trained.errors)")
    let written = try JSON.parse(
      String(contentsOfFile: "\(folder.path)/out/preprocessor_config.json", encoding: .utf8))
    #expect(written["max_pixels"] == 6272)
    // What was begun with a limit does not go on without it.
    let resumed = try train(qwen, "\(folder.path)/out", ["--max-steps", "1"])
    #expect(
      resumed.status != 0 && resumed.errors.contains("max_pixels was 6272"), "\(resumed.errors)")
  }

  /// From random weights to answers: made, inspected, verified against itself, measured.
  @Test(arguments: ["llava-1.5-tiny", "qwen2-vl-tiny", "qwen2-vl-tiny-tied"])
  func makesAndMeasuresThem(_ preset: String) throws {
    let path = "\(folder.path)/made"
    #expect(try CommandRun("roc-model", ["init", path, "--preset", preset]).status == 0)
    let inspected = try CommandRun("roc-model", ["inspect", path])
    #expect(inspected.status == 0 && inspected.output.contains("usable"), "\(inspected.output)")
    #expect(try score(path).line["score"]?.double != nil)
    let bench = try CommandRun(
      "roc-model", ["bench", path, "--rounds", "1", "--format", "csv", "--picture", Self.picture])
    #expect(bench.status == 0, "\(bench.errors)")
    #expect(bench.output.contains(preset.hasPrefix("llava") ? "projector" : "merger"))
    let doctor = try CommandRun("roc-model", ["doctor", "--checkpoint", path])
    #expect(doctor.status == 0, "\(doctor.output)")
  }

  @Test(arguments: ["llava-hf-f32", "qwen2vl-f32"])
  func verifiesStageByStage(_ name: String) throws {
    let path = Fixture.backbone(name)
    let run = try CommandRun(
      "roc-model",
      [
        "verify", path, "--golden", "\(path)/tensors.safetensors", "--images",
        Fixture.path("images"),
      ])
    #expect(run.status == 0 && run.output.contains("0 differ"), "\(run.output)\(run.errors)")
    // Rows of patches do not say how they lie in the picture.
    guard name == "qwen2vl-f32" else { return }
    let bare = try CommandRun(
      "roc-model", ["verify", path, "--golden", "\(path)/tensors.safetensors"])
    #expect(bare.status != 0)
  }
}
