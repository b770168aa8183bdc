import Foundation
import RocFiles
import RocImage
import RocJSON
import RocModel
import RocTestSupport
import Testing

/// Checkpoints that do not fit end with the file, the field or the tensor that is wrong.
struct LoadingTests {
  private func refusal(_ folder: String) -> String {
    let error = #expect(throws: ModelError.self) { _ = try Engine(folder: folder) }
    return error?.description ?? ""
  }

  /// A copy of tiny-f32 whose config.json was changed.
  private func changed(
    _ folder: TemporaryFolder, _ change: ([JSON.Member]) -> [JSON.Member]
  ) throws -> String {
    let copy = try folder.copy("tiny-f32", as: UUID().uuidString)
    let config = try Fixture.json("\(copy)/config.json").members ?? []
    try JSON.object(change(config)).pretty.write(
      toFile: "\(copy)/config.json", atomically: true, encoding: .utf8)
    return copy
  }

  @Test(arguments: [
    "hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size", "visual_config",
    "score_id", "img_token_num", "num_tokens", "min_score", "max_score", "num_attention_heads",
    "model_type",
  ])
  func namesAMissingField(_ field: String) throws {
    let folder = try TemporaryFolder()
    let copy = try changed(folder) { $0.filter { $0.name != field } }
    let message = refusal(copy)
    #expect(message.hasPrefix("\(copy)/config.json: \(field) is missing, expected"), "\(message)")
  }

  @Test(arguments: [
    ("hidden_size", JSON.int(63), "do not divide each other"),
    ("hidden_size", JSON.string("64"), "hidden_size is \"64\", expected a whole number"),
    ("num_tokens", JSON.int(9), "img_token_num 10 and num_tokens 9 must be equal"),
    ("max_score", .int(1 << 31), "or one is beyond ±1000000"),
    ("rms_norm_eps", .int(7), "rms_norm_eps"), ("rope_theta", .int(7), "rope_theta"),
    ("max_score", JSON.int(1), "min_score 1.0 is not below max_score 1.0"),
    ("score_id", JSON.int(700), "do not fit vocab_size 611"),
    ("model_type", JSON.string("llava"), "mm_vision_tower is missing"),
    ("model_type", JSON.string("bert"), "model_type is bert, expected mplug_owl2 or llava"),
    ("model_type", JSON.string("llava_next"), "LLaVA-1.6 and NeXT cut pictures into tiles"),
    ("model_type", JSON.string("qwen2_5_vl"), "attends within windows"),
    ("rope_scaling", JSON.object([.init("type", "dynamic")]), "rope_type dynamic is not supported"),
    ("num_hidden_layers", JSON.int(3), "missing: model.layers.2."),
    ("vocab_size", JSON.int(640), "misshapen: model.embed_tokens.weight is [611, 64]"),
    ("vocab_size", JSON.int(605), "[611"),
    ("score_id", JSON.int(13), "[SCORE] has the id 600 in the tokenizer"),
    ("rms_norm_eps", JSON.double(1e300), "expected a number above 0 that fits float32"),
    ("max_score", JSON.double(1e300), "or one is beyond"),
  ])
  func namesAnOddField(_ field: String, _ value: JSON, _ reason: String) throws {
    let folder = try TemporaryFolder()
    let copy = try changed(folder) { members in
      members.map { $0.name == field ? JSON.Member(field, value) : $0 }
    }
    let message = refusal(copy)
    #expect(message.contains(reason) || message.contains("the tokenizer has 611"), "\(message)")
    #expect(message.hasPrefix(copy))
  }

  @Test func listsMissingAndMisshapenTensors() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    let path = "\(copy)/model.safetensors"
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    // Another name of the same length: one tensor is missing, one is unexpected.
    let name = Data("\"model.norm.weight\"".utf8)
    let range = try #require(data.range(of: name))
    data.replaceSubrange(range, with: Data("\"model.norm.weighX\"".utf8))
    try data.write(to: URL(fileURLWithPath: path))
    #expect(
      refusal(copy)
        == "\(copy): 1 tensors do not fit the model:\n  missing: model.norm.weight [64]")

    let compute = try Engine.compute()
    let whole = try ModelLoader(folder: Fixture.path("tiny-f32"), compute: compute)
    #expect(whole.unexpected == [])
    #expect(whole.bytesNeeded > 1_000_000)
  }

  @Test func refusesDamagedAndForeignFolders() throws {
    let folder = try TemporaryFolder()
    #expect(
      refusal("\(folder.path)/none") == "\(folder.path)/none: there is no such checkpoint folder")
    #expect(refusal(folder.path).hasPrefix("\(folder.path)/config.json: No such file"))

    let cut = try folder.copy("tiny-f32", as: "cut")
    let weights = URL(fileURLWithPath: "\(cut)/model.safetensors")
    try Data(contentsOf: weights).prefix(900_000).write(to: weights)
    #expect(refusal(cut).contains("it is cut short"))

    let broken = try folder.copy("tiny-f32", as: "broken")
    try "{\"hidden_size\": 64".write(
      toFile: "\(broken)/config.json", atomically: true, encoding: .utf8)
    #expect(refusal(broken).contains("config.json is not valid JSON: line 1"))

    let blind = try folder.copy("tiny-f32", as: "blind")
    try FileManager.default.removeItem(atPath: "\(blind)/preprocessor_config.json")
    #expect(refusal(blind).contains("preprocessor_config.json: No such file"))

    let small = try folder.copy("tiny-f32", as: "small")
    try "{\"size\": 28, \"crop_size\": 28}".write(
      toFile: "\(small)/preprocessor_config.json", atomically: true, encoding: .utf8)
    #expect(refusal(small).contains("config.json has image_size 56"))
  }

  @Test func survivesSizesWhoseProductOverflows() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    let text = try String(contentsOfFile: "\(copy)/config.json", encoding: .utf8)
      .replacingOccurrences(of: "\"image_size\": 56", with: "\"image_size\": 131072")
      .replacingOccurrences(of: "\"patch_size\": 14", with: "\"patch_size\": 1")
      .replacingOccurrences(of: "\"grid_size\": 4", with: "\"grid_size\": 131072")
      .replacingOccurrences(of: "\"hidden_size\": 48", with: "\"hidden_size\": 131072")
    try text.write(toFile: "\(copy)/config.json", atomically: true, encoding: .utf8)
    #expect(refusal(copy).contains("misshapen: model.vision_model"))
  }

  @Test func refusesPreparationThatItDoesNotDo() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    for (text, reason) in [
      ("{\"size\": 56, \"crop_size\": 56, \"do_normalize\": false}", "do_normalize false"),
      ("[]", "holds an array, expected an object"),
      ("{\"size\": 56, \"crop_size\": {\"height\": 56, \"width\": 30}}", "is not square"),
      ("{\"size\": 56, \"crop_size\": 56, \"rescale_factor\": 1e300}", "fits float32"),
      ("{\"size\": 99999, \"crop_size\": 56}", "has image_size 56"),
    ] {
      try text.write(
        toFile: "\(copy)/preprocessor_config.json", atomically: true, encoding: .utf8)
      #expect(refusal(copy).contains(reason), "\(refusal(copy))")
    }
  }

  /// tiny-f32 whose last 1,024 values are the same four bytes.
  private func copy(_ folder: TemporaryFolder, ending value: [UInt8]) throws -> String {
    let copy = try folder.copy("tiny-f32", as: "copy")
    let path = URL(fileURLWithPath: "\(copy)/model.safetensors")
    var data = try Data(contentsOf: path)
    for i in stride(from: data.count - 4096, to: data.count, by: 4) {
      data.replaceSubrange(i..<i + 4, with: value)
    }
    try data.write(to: path)
    return copy
  }

  @Test func callsWeightsThatAreNoNumbersByName() throws {
    let folder = try TemporaryFolder()
    let message = refusal(try copy(folder, ending: [0, 0, 0xC0, 0x7F]))
    #expect(
      message.contains("not finite: model.visual_abstractor.vit_eos holds infinite or NaN values"),
      "\(message)")
  }

  @Test func callsAnswersThatAreNoNumbersAFailure() throws {
    let folder = try TemporaryFolder()
    // 3e38: finite, and too large for any product.
    let copy = try copy(folder, ending: [0xE6, 0xB1, 0x61, 0x7F])
    let engine = try Engine(folder: copy)
    try engine.score(paths: [Fixture.path("images/rgb_64x64.png")]) { _, outcome in
      #expect(outcome.failure?.code == "not_finite" && outcome.answer == nil)
      return true
    }
  }

  @Test func readsSizesGivenAsObjects() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    try """
    {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}
    """.write(toFile: "\(copy)/preprocessor_config.json", atomically: true, encoding: .utf8)
    #expect(try Engine(folder: copy).parts.preprocessing.cropSize == 56)
  }

  @Test func computesPositionsThatTheCheckpointLacks() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    let path = URL(fileURLWithPath: "\(copy)/model.safetensors")
    var data = try Data(contentsOf: path)
    while let range = data.range(of: Data("_pos_embed\"".utf8)) {
      data.replaceSubrange(range, with: Data("_xxx_embed\"".utf8))
    }
    try data.write(to: path)
    let image = [Fixture.path("images/photo_640x427.jpg")]
    var scores: [Double] = []
    for folder in [Fixture.path("tiny-f32"), copy] {
      try Engine(folder: folder).score(paths: image) { _, outcome in
        scores.append(try #require(outcome.answer?.score))
        return true
      }
    }
    #expect(abs(scores[0] - scores[1]) <= 9e-4)
  }

  @Test func refusesWhatDoesNotFitMemory() throws {
    let loader = try ModelLoader(
      folder: Fixture.path("tiny-f32"), compute: try Engine.compute(threads: 1))
    let error = #expect(throws: ModelError.self) { _ = try loader.load(available: 1_000_000) }
    #expect(
      error?.description.hasSuffix(
        """
        the weights need 1.3 MB as f32 and this machine has 1.0 MB free; --precision bf16 needs \
        half as much, int8 a quarter
        """) == true)
  }

  @Test func printsMemoryForPeople() {
    #expect(memorySize(16_400_000_000) == "16.4 GB")
    #expect(memorySize(1_280_000) == "1.3 MB")
  }
}
