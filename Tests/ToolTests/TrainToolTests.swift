import Foundation
import RocCheckpoint
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import Testing

/// roc-train as its users run it.
struct TrainToolTests {
  private static let samples = Fixture.path("training/plain.samples.json")
  private static let images = Fixture.path("training/images")
  private static let weights = ["--l1-weight", "1", "--ce-weight", "1", "--emd-weight", "1"]

  private func train(
    _ output: String, _ arguments: [String] = [], model: String = Fixture.path("tiny-f32"),
    data: String = samples, environment: [String: String] = [:]
  ) throws -> CommandRun {
    try CommandRun(
      "roc-train",
      [
        "--model-name-or-path", model, "--data-path", data, "--image-folder", Self.images,
        "--output-dir", output,
      ] + Self.weights + arguments, environment: environment)
  }

  @Test func printsTheReferenceCurveAndWritesAModelThatAnswersLikeIt() throws {
    let folder = try TemporaryFolder()
    let golden = try Fixture.json("training/plain.golden.json")
    let run = try #require(golden["runs"]?.array?.first { $0["name"] == "cosine_clip1" })
    let output = "\(folder.path)/out"
    let trained = try train(
      output,
      [
        "--jsonl", "--max-steps", "10", "--per-device-train-batch-size", "4", "--learning-rate",
        "2e-3", "--lr-scheduler-type", "cosine", "--warmup-ratio", "0.03", "--max-grad-norm", "1",
        "--freeze-vision-model", "False", "--order", try folder.write("1 2 3 4", to: "order.txt"),
      ])
    #expect(trained.status == 0, "\(trained.errors)")
    let lines = try trained.output.split(separator: "\n").map { try JSON.parse(String($0)) }
    let history = try #require(run["history"]?.array)
    #expect(lines.count == history.count)
    for (line, expected) in zip(lines, history) {
      #expect(line["step"] == expected["step"])
      for (name, other) in [
        ("loss", "loss"), ("loss_text", "text"), ("loss_l1", "l1"), ("loss_ce", "ce"),
        ("loss_emd", "emd"), ("learning_rate", "lr"), ("grad_norm", "grad_norm"),
      ] {
        let found = try #require(line[name]?.double)
        let wanted = try #require(expected[other]?.double)
        #expect(
          abs(found - wanted) <= 1e-3 * abs(wanted) + 1e-6, "\(line["step"]?.line ?? "") \(name)")
      }
    }
    let answers = try #require(run["answers_after"]?.members)
    #expect(answers.count == 3)
    for answer in answers {
      let scored = try CommandRun(
        "roc-eval",
        ["score", "--checkpoint", output, "--jsonl", Fixture.path("images/\(answer.name)")]
      )
      let score = try #require(try JSON.parse(scored.output)["score"]?.double)
      let wanted = try #require(answer.value["scores"]?.array?.first?.double)
      #expect(abs(score - wanted) <= 5e-3)
    }
    #expect(FileManager.default.fileExists(atPath: "\(output)/losses.svg"))
    // The same command finds everything done.
    let again = try train(
      output,
      [
        "--jsonl", "--max-steps", "10", "--per-device-train-batch-size", "4", "--learning-rate",
        "2e-3", "--order", "\(folder.path)/order.txt",
      ])
    #expect(again.status == 0 && again.output.isEmpty, "\(again.errors)")
    // Other settings are another training.
    let other = try train(output, ["--max-steps", "10", "--learning-rate", "1e-3"])
    #expect(other.status == 4)
    #expect(other.errors.contains("learning_rate was 0.002, is 0.001"), "\(other.errors)")
  }

  @Test(arguments: [[], ["--train", "lora", "--lora-rank", "4"], ["--precision", "bf16"]])
  func goesOnAfterKillsAsIfThereHadBeenNone(_ mode: [String]) throws {
    let folder = try TemporaryFolder()
    let arguments =
      [
        "--max-steps", "150", "--per-device-train-batch-size", "1", "--gradient-accumulation-steps",
        "2", "--save-steps", "3", "--learning-rate", "1e-3",
      ] + mode
    let undisturbed = "\(folder.path)/whole"
    #expect(try train(undisturbed, arguments).status == 0)
    let output = "\(folder.path)/killed"
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      let log = "\(output)/training.jsonl"
      let before = lines(log)
      let process = try CommandRun.process(
        "roc-train",
        [
          "--model-name-or-path", Fixture.path("tiny-f32"), "--data-path", Self.samples,
          "--image-folder", Self.images, "--output-dir", output,
        ] + Self.weights + arguments)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      // Somewhere within the next steps, saving included.
      let more = Int.random(in: 1...5, using: &random)
      while process.isRunning, lines(log) < before + more { usleep(500) }
      usleep(UInt32.random(in: 0...3000, using: &random))
      #expect(process.isRunning, "there was nothing left to kill")
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let last = try train(output, arguments)
    #expect(last.status == 0 && last.errors.contains("updates, going on after"), "\(last.errors)")
    let name = mode.contains("lora") ? "adapter_model.safetensors" : "model.safetensors"
    func bytes(_ folder: String, _ file: String) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)"))
    }
    #expect(try bytes(undisturbed, name) == bytes(output, name))
    #expect(try bytes(undisturbed, "training.jsonl") == bytes(output, "training.jsonl"))
  }

  private func lines(_ path: String) -> Int {
    ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").count { $0 == "\n" }
  }

  @Test func keepsWhereItWasWhenAskedToStop() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    let process = try CommandRun.process(
      "roc-train",
      [
        "--model-name-or-path", Fixture.path("tiny-f32"), "--data-path", Self.samples,
        "--image-folder", Self.images, "--output-dir", output, "--max-steps", "100000",
      ] + Self.weights)
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, lines("\(output)/training.jsonl") < 2 { usleep(1000) }
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 143)
    let done = lines("\(output)/training.jsonl")
    #expect(
      FileManager.default.fileExists(atPath: "\(output)/checkpoint-\(done)/optimizer.safetensors"))
  }

  @Test(arguments: [
    ("[{\"image\": \"000.png\"", "not JSON"),
    (Self.record(target: 5), "5 values, expected 10"),
    (Self.record(image: "nowhere.png"), "nowhere.png: not in the image folder"),
    (Self.record(score: "NaN"), "holds nan, expected finite numbers"),
    (Self.record(score: "11.5"), "11.5 is outside 1.0 to 10.0"),
    (Self.record(answer: "The image is good. "), "0 [SCORE] in the answers for 1 scores"),
    (Self.record(target: nil), "target: is missing"),
  ])
  func stopsBeforeTheFirstStep(_ records: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    let run = try train(output, ["--jsonl"], data: try folder.write(records, to: "train.json"))
    #expect(run.status == 4 && run.output.isEmpty)
    #expect(run.errors.contains(message), "\(run.errors)")
    #expect(run.errors.contains("nothing was trained"))
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  /// Records are checked before weights are read, and what is there is kept until both are good.
  @Test func losesNothingToWeightsThatCannotBeUsed() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    #expect(try train(output, ["--max-steps", "2"]).status == 0)
    let broken = try folder.copy("tiny-f32", as: "broken")
    let weights = try #require(FileHandle(forUpdatingAtPath: "\(broken)/model.safetensors"))
    try weights.seek(toOffset: try weights.seekToEnd() - 64)
    try weights.write(contentsOf: Data(repeating: 0xff, count: 64))
    try weights.close()
    let bad = try folder.write("[{}]", to: "bad.json")
    let records = try train(output, ["--overwrite-output-dir"], model: broken, data: bad)
    #expect(records.status == 4 && records.errors.contains("nothing was trained"))
    let model = try train(output, ["--overwrite-output-dir"], model: broken)
    #expect(model.status == 5 && model.errors.contains("NaN"), "\(model.errors)")
    #expect(FileManager.default.fileExists(atPath: "\(output)/checkpoint-2/optimizer.safetensors"))
  }

  @Test func keepsOthersOutOfAFolder() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    let lock = open("\(output)/training.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    #expect(flock(lock, LOCK_EX) == 0)
    // The second refusal shows that the first left the lock where it was.
    for _ in 0..<2 { #expect(try train(output, ["--max-steps", "1"]).status == 75) }
    close(lock)
    #expect(try train(output, ["--max-steps", "1"]).status == 0)
    #expect(!FileManager.default.fileExists(atPath: "\(output)/training.lock"))
    let nested = try train("\(folder.path)/a/b/./c", data: try folder.write("[{}]", to: "x.json"))
    #expect(nested.status == 4)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/a"))
  }

  @Test func replacesAModelOnlyWhenAskedTo() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    let database = ["ROC_DB": "\(folder.path)/roc.sqlite"]
    let head = ["--train", "head", "--num-train-epochs", "2"]
    #expect(try train(output, head, environment: database).status == 0)
    let second = try train(output, head, environment: database)
    #expect(second.status == 4 && second.errors.contains("holds a model already"))
    let failed = try train(
      output, ["--overwrite-output-dir", "--learning-rate", "1e30", "--max-steps", "9"])
    #expect(failed.status == 1)
    // A training that failed must not pass for the one before.
    #expect(!FileManager.default.fileExists(atPath: "\(output)/model.safetensors"))
    #expect(try train(output, ["--overwrite_output_dir", "--max_steps=2"]).status == 0)
    let inside = try train(
      output, ["--overwrite-output-dir"], model: "\(output)/checkpoint-2")
    #expect(inside.status == 64 && inside.errors.contains("lies inside --output-dir"))
    let optimiser = "\(output)/checkpoint-2/optimizer.safetensors"
    #expect(truncate(optimiser, 100) == 0)
    let cut = try train(output, ["--max-steps", "2"])
    #expect(cut.status == 4 && cut.errors.contains("Remove it to begin anew"), "\(cut.errors)")
  }

  @Test func goesOnOnlyWithTheSameModelAndKind() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    #expect(try train(output, ["--max-steps", "2"]).status == 0)
    let other = try folder.copy("tiny-multi-f32", as: "other")
    let model = try train(output, ["--max-steps", "2"], model: other)
    #expect(model.status == 4 && model.errors.contains("model_sha256 was"), "\(model.errors)")
    let kind = try train(output, ["--max-steps", "2", "--train", "lora"])
    #expect(
      kind.status == 4 && kind.errors.contains("a training of --train full"), "\(kind.errors)")
    let head = try train(output, ["--train", "head"])
    #expect(head.status == 4 && head.errors.contains("checkpoints of another training"))
    // A mistake costs nothing of what is there.
    let typo = try train(output, ["--overwrite-output-dir"], model: "\(folder.path)/typo")
    #expect(typo.status == 5)
    #expect(FileManager.default.fileExists(atPath: "\(output)/checkpoint-2/optimizer.safetensors"))
    let same = try train(other, [], model: other)
    #expect(same.status == 64 && same.errors.contains("would be written over"))
    // Begun anew as an adapter, the folder is an adapter beside what is the user's.
    let card = "\(output)/model-card.md"
    try "mine".write(toFile: card, atomically: true, encoding: .utf8)
    let anew = try train(
      output, ["--max-steps", "1", "--train", "lora", "--overwrite-output-dir"])
    #expect(anew.status == 0, "\(anew.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(output)/model.safetensors"))
    #expect(FileManager.default.fileExists(atPath: card))
    let adapter = try train("\(folder.path)/more", [], model: output)
    #expect(adapter.status == 64 && adapter.errors.contains("merge it into its base first"))
  }

  @Test func trainsOnASplitAndEvaluatesAnother() throws {
    let folder = try TemporaryFolder()
    let database = ["ROC_DB": "\(folder.path)/roc.sqlite"]
    let demo = "\(folder.path)/demo"
    #expect(
      try CommandRun("roc-data", ["demo", "--output", demo, "--images", "30"]).status == 0)
    #expect(
      try CommandRun(
        "roc-data", ["import", "ava", "--source", demo, "--images", "\(demo)/images"],
        environment: database
      ).status == 0)
    func train(_ output: String, _ more: [String]) throws -> CommandRun {
      try CommandRun(
        "roc-train",
        [
          "--model-name-or-path", Fixture.path("tiny-f32"), "--dataset", "ava", "--split", "train",
          "--eval-split", "test", "--output-dir", "\(folder.path)/\(output)", "--max-steps", "4",
          "--eval-steps", "2", "--save-steps", "2", "--group-by-length",
          "--per-device-train-batch-size", "4",
        ] + Self.weights + more, environment: database)
    }
    let run = try train("a", [])
    #expect(run.status == 0, "\(run.errors)")
    let log = try String(contentsOfFile: "\(folder.path)/a/training.jsonl", encoding: .utf8)
    let lines = try log.split(separator: "\n").map { try JSON.parse(String($0)) }
    #expect(lines.count == 6)
    #expect(lines.compactMap { $0["eval_count"]?.int } == [10, 10])
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/a/heldout.svg"))
    // Threads decide nothing, and a finished training keeps its evaluations.
    #expect(try train("b", ["--threads", "1"]).status == 0)
    for file in ["model.safetensors", "training.jsonl"] {
      #expect(
        FileManager.default.contentsEqual(
          atPath: "\(folder.path)/a/\(file)", andPath: "\(folder.path)/b/\(file)"))
    }
    #expect(try train("a", []).status == 0)
    #expect(
      try String(contentsOfFile: "\(folder.path)/a/training.jsonl", encoding: .utf8) == log)
  }

  @Test func namesTheBatchWhoseLossIsNotFinite() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/out"
    let run = try train(
      output,
      [
        "--max-steps", "9", "--per-device-train-batch-size", "2", "--learning-rate", "1e30",
        "--max-grad-norm", "0", "--warmup-ratio", "0", "--save-steps", "1", "--order",
        try folder.write("[1, 2, 3, 4]", to: "order.json"),
      ])
    #expect(run.status == 1)
    #expect(
      run.errors.contains("step 1: the loss is infinite or NaN; the batch is record 3 (002.png)"),
      "\(run.errors)")
    #expect(lines("\(output)/training.jsonl") == 1)
    #expect(FileManager.default.fileExists(atPath: "\(output)/checkpoint-1/optimizer.safetensors"))
    #expect(!FileManager.default.fileExists(atPath: "\(output)/model.safetensors"))
  }

  private static func record(
    image: String = "000.png", score: String = "5.5",
    answer: String = "The aesthetic rate of the image is [SCORE]. ", target: Int? = 10
  ) -> String {
    let values = target.map { count in
      ", \"target\": [1" + String(repeating: ", 0", count: count - 1) + "]"
    }
    return """
      [{"image": "\(image)", "gt_score": \(score), "conversations": [{"from": "human", "value": \
      "<|image|>Please rate the aesthetics of the image."}, {"from": "gpt", "value": \
      "\(answer)"}]\(values ?? "")}]
      """
  }

  @Test func trainsTheHeadOnStatesThatItKeeps() throws {
    let folder = try TemporaryFolder()
    let database = ["ROC_DB": "\(folder.path)/roc.sqlite"]
    let arguments = ["--train", "head", "--num-train-epochs", "30", "--jsonl"]
    let first = try train("\(folder.path)/a", arguments, environment: database)
    #expect(first.status == 0 && first.errors.contains("the model saw 4 pictures"))
    let losses = try first.output.split(separator: "\n").map {
      try #require(try JSON.parse(String($0))["loss"]?.double)
    }
    #expect(losses.count == 30)
    #expect(try #require(losses.last) < #require(losses.first))
    let second = try train("\(folder.path)/b", arguments, environment: database)
    #expect(second.status == 0 && second.errors.contains("the model saw 0 pictures"))
    #expect(second.output == first.output)
    let base = try Checkpoint(folder: Fixture.path("tiny-f32"))
    let trained = try Checkpoint(folder: "\(folder.path)/a")
    #expect(base.names == trained.names)
    for name in base.names {
      let (old, new) = (try #require(base[name]).widened, try #require(trained[name]).widened)
      guard name == "lm_head.weight" else {
        #expect(old == new, "\(name)")
        continue
      }
      #expect(old.dropLast(640) == new.dropLast(640) && old.suffix(640) != new.suffix(640))
    }
    let again = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/b/model.safetensors"))
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/a/model.safetensors")) == again)
  }

  @Test func writesAnAdapterThatMergesToTheTrainedModel() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/lora"
    let picture = Fixture.path("images/photo_640x427.jpg")
    let run = try train(
      output,
      [
        "--train", "lora", "--lora-rank", "4", "--learning-rate", "5e-3", "--max-steps", "12",
        "--per-device-train-batch-size", "2", "--eval-data-path", Self.samples,
      ])
    #expect(run.status == 0, "\(run.errors)")
    let score = try CommandRun("roc-eval", ["score", "--checkpoint", output, "--jsonl", picture])
    #expect(score.status == 0, "\(score.errors)")
    let merged = "\(folder.path)/merged"
    #expect(try CommandRun("roc-model", ["convert", output, merged, "--dtype", "f32"]).status == 0)
    let whole = try CommandRun("roc-eval", ["score", "--checkpoint", merged, "--jsonl", picture])
    #expect(score.output == whole.output)
    // What training saw without merging is what the merged model says.
    let line = try #require(
      try String(contentsOfFile: "\(output)/training.jsonl", encoding: .utf8)
        .split(separator: "\n").last)
    let evaluation = try JSON.parse(String(line))
    #expect(evaluation["eval_count"] == 4)
    let names = ["000.png", "001.png", "002.png", "003.png"].map { "\(Self.images)/\($0)" }
    let answers = try CommandRun("roc-eval", ["score", "--checkpoint", merged, "--jsonl"] + names)
    let scores = try answers.output.split(separator: "\n").map {
      try #require(try JSON.parse(String($0))["score"]?.double)
    }
    let truth = try #require(try Fixture.json("training/plain.samples.json").array).map {
      $0["gt_score"]?.double ?? .nan
    }
    let mae = zip(scores, truth).reduce(0) { $0 + abs($1.0 - $1.1) } / 4
    #expect(abs(mae - (evaluation["eval_mae"]?.double ?? .nan)) < 1e-3)
  }

  @Test func addsScoreTokensToAModelWithout() throws {
    let folder = try TemporaryFolder()
    let base = try folder.plainCheckpoint(as: "base")
    let asked = try train("\(folder.path)/no", model: base)
    #expect(asked.status == 64 && asked.errors.contains("--num-tokens 10 --min-score 1"))
    let output = "\(folder.path)/out"
    let arguments = [
      "--num-tokens", "10", "--min-score", "1", "--max-score", "10", "--max-steps", "2",
    ]
    let run = try train(output, arguments, model: base)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try Checkpoint(folder: output).json("config.json")["num_tokens"] == 10)
    // A checkpoint that has them keeps its rows.
    let other = try train(
      "\(folder.path)/other", ["--num-tokens", "5", "--min-score", "1", "--max-score", "10"],
      model: output)
    #expect(other.status == 64 && other.errors.contains("has 10 score tokens, --num-tokens is 5"))
  }
}
