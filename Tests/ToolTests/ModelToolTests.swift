import Foundation
import RocCheckpoint
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import Testing

/// roc-model as its users run it.
struct ModelToolTests {
  private let picture = Fixture.path("images/photo_640x427.jpg")

  private func run(_ arguments: String..., environment: [String: String] = [:]) throws
    -> CommandRun
  {
    try CommandRun("roc-model", arguments, environment: environment)
  }

  private func score(_ checkpoint: String, _ arguments: String...) throws -> JSON {
    let run = try CommandRun(
      "roc-eval", ["score", "--checkpoint", checkpoint, "--jsonl"] + arguments + [picture])
    #expect(run.status == 0, "\(run.errors)")
    return try JSON.parse(run.output)
  }

  @Test func makesInspectsConvertsAndMeasures() throws {
    let folder = try TemporaryFolder()
    let made = "\(folder.path)/made"
    let new = try run("init", made, "--preset", "tiny", "--seed", "7")
    #expect(new.status == 0 && new.output.isEmpty)
    #expect(new.errors.hasSuffix("\(made): tiny model of seed 7, bf16\n"))
    #expect(try run("init", made).status == 64)
    #expect(try run("init", "\(folder.path)/none/deep").status == 1)

    let inspected = try run("inspect", made, "--json")
    #expect(inspected.status == 0)
    let facts = try JSON.parse(inspected.output)
    #expect(facts["schema"] == "roc/inspection/1" && facts["usable"] == true)
    #expect(facts["problems"] == [] && facts["unexpected"] == [])
    #expect(facts["checkpoint"]?["sha256"]?.string == (try Checkpoint(folder: made).sha256()))
    #expect(facts["tensors"]?.array?.count == 115)
    let text = try run("inspect", made, "--quick", "--tensors").output
    #expect(text.contains("\n  lm_head.weight  BF16 [568, 64]\n"))
    #expect(text.hasSuffix("usable: every tensor of the model is there and fits\n"))

    for (dtype, precision) in [("f32", "f32"), ("bf16", "bf16"), ("int8", "int8")] {
      let packed = "\(folder.path)/\(dtype)"
      #expect(try run("convert", made, packed, "--dtype", dtype, "--packed").status == 0)
      let kept = try score(packed)
      #expect(kept["score"] != nil)
      #expect(kept == (try score(made, "--precision", precision)))
    }
    #expect(try run("convert", made, "\(folder.path)/x", "--dtype", "f16", "--packed").status == 64)
    let plain = "\(folder.path)/plain"
    #expect(try run("convert", made, plain, "--dtype", "f32").status == 0)
    #expect(try score(plain) == (try score(made)))

    for format in ["md", "csv", "json"] {
      let bench = try run(
        "bench", made, "--precision", "int8", "--rounds", "2", "--format", format)
      #expect(bench.status == 0)
      switch format {
      case "md": #expect(bench.output.contains("\n| part | seconds | a second | speed | of peak |"))
      case "csv":
        let lines = bench.output.split(separator: "\n")
        #expect(lines.count == 8)
        #expect(
          lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 9 }
        )
      default:
        let json = try JSON.parse(bench.output)
        #expect(json["schema"] == "roc/bench/1" && json["parts"]?.array?.count == 7)
        #expect(json["parts"]?.array?.allSatisfy { ($0["seconds"]?.double ?? 0) > 0 } == true)
      }
    }
  }

  @Test func verifiesAgainstAReference() throws {
    let checkpoint = Fixture.path("tiny-multi-f32")
    let golden = "\(checkpoint)/tensors.safetensors"
    let images = Fixture.path("images")
    let good = try run("verify", checkpoint, "--golden", golden, "--images", images)
    #expect(good.status == 0, "\(good.output.suffix(300))")
    #expect(good.output.hasSuffix(" stages compared, 0 differ\n"))
    let other = try run(
      "verify", Fixture.path("tiny-f32"), "--golden", golden, "--images", images, "--json")
    #expect(other.status == 4)
    let json = try JSON.parse(other.output)
    #expect(json["schema"] == "roc/verification/1" && (json["failed"]?.int ?? 0) > 0)
    #expect(json["compared"]?.int == json["stages"]?.array?.count)
    // Without the folder some pictures have no pixels; they are named, not passed over.
    let alone = try run("verify", checkpoint, "--golden", golden)
    #expect(alone.status == 3, "\(alone.errors)")
    #expect(alone.errors.contains("Warning: not compared"))
    #expect(try run("verify", checkpoint, "--golden", "none.safetensors").status == 6)
    #expect(try run("verify", checkpoint, "--golden", "\(checkpoint)/golden.json").status == 64)
  }

  @Test func addsTokensOnlyOnce() throws {
    let output = try TemporaryFolder()
    let run = try run(
      "add-score-tokens", Fixture.path("tiny-f32"), "\(output.path)/new", "--num-tokens", "5")
    #expect(run.status == 64 && run.errors.contains("has score tokens already"))
    #expect(
      try self.run("add-score-tokens", "a", "b", "--min-score", "5", "--max-score", "1").status
        == 64)
  }

  @Test func leavesNothingBehindWhenInterrupted() throws {
    let folder = try TemporaryFolder()
    let process = try CommandRun.process(
      "roc-model", ["init", "\(folder.path)/full", "--preset", "full"])
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Some hundred MB are written at most: the folder is there as soon as the command begins.
    for _ in 0..<400 {
      usleep(10_000)
      if try !FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty { break }
    }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    let negative = try run(
      "init", "\(folder.path)/tiny", "--min-score", "-5", "--max-score", "-1.5")
    #expect(negative.status == 0)
    #expect(try run("inspect", "\(folder.path)/tiny").output.contains("10 on -5.0…-1.5"))
  }

  @Test func saysWhatTheMachineHas() throws {
    let doctor = try run("doctor", "--checkpoint", Fixture.path("tiny-f32"))
    #expect(doctor.status == 0)
    for word in ["processor", "kernels", "memory", "disk", "file system", "as int8", "portable"] {
      #expect(doctor.output.contains(word))
    }
    #expect(doctor.output.hasSuffix("nothing stands in the way\n"))
    #expect(try run("doctor", "--checkpoint", "none").status == 5)
  }

  @Test func scoresByLevels() throws {
    let checkpoint = Fixture.path("tiny-f32")
    let levels = try score(
      checkpoint, "--scoring", "levels", "--level-task", "quality", "--level-scale", "0-1")
    let named = try #require(levels["levels"]?.members)
    #expect(named.map(\.name) == ["excellent", "good", "fair", "poor", "bad"])
    let sum = named.reduce(0) { $0 + ($1.value.double ?? 0) }
    #expect(abs(sum - 1) < 1e-6)
    let expected = zip(named, [1, 0.75, 0.5, 0.25, 0]).reduce(0) {
      $0 + ($1.0.value.double ?? 0) * $1.1
    }
    #expect(abs((levels["score"]?.double ?? 9) - expected) < 1e-6)
    #expect(levels["text"]?.string?.hasPrefix("The quality of the image is ") == true)
    #expect(try score(checkpoint)["levels"] == nil)
    for wrong in [
      ["--scoring", "roc", "--level-task", "quality"], ["--scoring", "levels", "--question", "x"],
      ["--scoring", "words"],
    ] {
      let run = try CommandRun(
        "roc-eval", ["score", "--checkpoint", checkpoint] + wrong + [picture])
      #expect(run.status == 64)
    }
  }
}

/// Files that were made to do harm end with 5 and the tensor, opcode or file that is wrong.
struct HostileCheckpointTests {
  private func refusal(_ folder: String) throws -> String {
    let run = try CommandRun(
      "roc-eval",
      ["score", "--checkpoint", folder, Fixture.path("images/rgb_64x64.png")])
    #expect(run.status == 5, "status \(run.status): \(run.errors)")
    #expect(run.output.isEmpty)
    return run.errors
  }

  private func copy(_ folder: TemporaryFolder, _ name: String = "tiny-f32") throws -> String {
    try folder.copy(name, as: UUID().uuidString)
  }

  /// Writes a header of one's own before the weights' bytes.
  private func rewrite(_ path: String, _ change: (inout [JSON.Member]) -> Void) throws {
    let url = URL(fileURLWithPath: path)
    let data = try Data(contentsOf: url)
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    var members = try #require(
      try JSON.parse(String(decoding: data[8..<8 + length], as: UTF8.self)).members)
    change(&members)
    let header = Data(JSON.object(members).line.utf8)
    let size = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    try (Data(size) + header + data[(8 + length)...]).write(to: url)
  }

  @Test func namesWhatIsWrong() throws {
    let folder = try TemporaryFolder()

    let endless = try copy(folder)
    try rewrite("\(endless)/model.safetensors") { members in
      let index = members.firstIndex { $0.name == "lm_head.weight" } ?? 0
      members[index] = JSON.Member(
        "lm_head.weight",
        ["dtype": "F32", "shape": [.int(1 << 60)], "data_offsets": [0, 64]])
    }
    #expect(
      try refusal(endless).contains(
        "tensor lm_head.weight: a shape of more values than fit in 64 bits"))

    let overlapping = try copy(folder)
    try rewrite("\(overlapping)/model.safetensors") { members in
      let index = members.firstIndex { $0.name == "lm_head.weight" } ?? 0
      let other = members.first { $0.name == "model.embed_tokens.weight" }
      members[index] = JSON.Member("lm_head.weight", other?.value ?? .null)
    }
    let overlap = try refusal(overlapping)
    #expect(overlap.contains("lm_head.weight") && overlap.contains("overlap"))

    let notFinite = try copy(folder)
    var data = try Data(contentsOf: URL(fileURLWithPath: "\(notFinite)/model.safetensors"))
    data.replaceSubrange(data.count - 4..<data.count, with: [0, 0, 0xC0, 0x7F])
    try data.write(to: URL(fileURLWithPath: "\(notFinite)/model.safetensors"))
    #expect(try refusal(notFinite).contains("not finite: model.visual_abstractor.vit_eos"))

    let cut = try copy(folder)
    try data.prefix(data.count - 100).write(
      to: URL(fileURLWithPath: "\(cut)/model.safetensors"))
    #expect(try refusal(cut).contains("model.visual_abstractor.vit_eos"))

    let pickle = try copy(folder)
    try FileManager.default.removeItem(atPath: "\(pickle)/model.safetensors")
    try Data("\u{2}cos\nsystem\nX\u{4}\u{0}\u{0}\u{0}ls /".utf8).withUnsafeBytes {
      try (Data([0x80]) + Data($0) + Data([0x85]) + Data("R.".utf8)).write(
        to: URL(fileURLWithPath: "\(pickle)/pytorch_model.bin"))
    }
    #expect(try refusal(pickle).contains("names os.system"))

    let endlessAnswer = try copy(folder)
    var tokenizer = try Data(
      contentsOf: URL(fileURLWithPath: "\(endlessAnswer)/tokenizer.model"))
    let range = try #require(tokenizer.range(of: Data("</s>".utf8)))
    tokenizer.replaceSubrange(range, with: Data("</z>".utf8))
    try tokenizer.write(to: URL(fileURLWithPath: "\(endlessAnswer)/tokenizer.model"))
    #expect(try refusal(endlessAnswer).contains("</s> among its 600 pieces"))

    let other = try copy(folder)
    let config = try String(contentsOfFile: "\(other)/config.json", encoding: .utf8)
    try config.replacingOccurrences(of: "mplug_owl2", with: "llava_next").write(
      toFile: "\(other)/config.json", atomically: true, encoding: .utf8)
    #expect(try refusal(other).contains("model_type is llava_next (LLaVA-1.6"))

    let cutArchive = try copy(folder, "tiny-f16-sharded-bin")
    let shard = "\(cutArchive)/pytorch_model-00002-of-00003.bin"
    let archive = try Data(contentsOf: URL(fileURLWithPath: shard))
    try archive.prefix(archive.count / 2).write(to: URL(fileURLWithPath: shard))
    #expect(try refusal(cutArchive).contains("pytorch_model-00002-of-00003.bin"))
  }
}
