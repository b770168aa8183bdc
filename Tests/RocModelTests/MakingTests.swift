import Foundation
import RocCheckpoint
import RocImage
import RocJSON
import RocNames
import RocScore
import RocTensor
import RocTestSupport
import RocTokenizer
import Testing

@testable import RocModel

/// Checkpoints that roc makes: random ones, with new tokens, converted, with adapters.
struct MakingTests {
  private let compute = try? Compute(threads: 2)
  static let images = ["rgb_64x64.png", "photo_640x427.jpg"]

  private func scores(_ folder: String, precision: Precision? = .f32) throws -> [Answer] {
    let engine = try Engine(folder: folder, precision: precision)
    var answers: [Answer] = []
    try engine.score(paths: Self.images.map { Fixture.path("images/\($0)") }) { _, outcome in
      answers.append(try #require(outcome.answer, "\(outcome.failure?.message ?? "")"))
      return true
    }
    return answers
  }

  /// What a preset's answer is, with # for its score, and how many tokens it has.
  private static let answers: [String: (text: String, tokens: Int, end: Int)] = [
    "tiny": ("The aesthetic rate of the image is # . ", 11, 2),
    "small": ("The aesthetic rate of the image is # . ", 11, 2),
    "llava-1.5-tiny": ("The aesthetic rate of the image is # .", 11, 2),
    "qwen2-vl-tiny": ("The aesthetic rate of the image is # .", 11, 658),
    "qwen2-vl-tiny-tied": (" # ", 2, 658),
  ]

  @Test(arguments: ["tiny", "small", "llava-1.5-tiny", "qwen2-vl-tiny", "qwen2-vl-tiny-tied"])
  func randomModelsAnswerAsTrainedOnesDo(_ name: String) throws {
    let preset = try #require(ModelPreset.named(name))
    let folder = try TemporaryFolder()
    let compute = try #require(compute)
    for seed in [1, 2] as [UInt64] {
      let path = "\(folder.path)/\(seed)"
      try RandomModel(preset: preset, seed: seed).write(to: path, compute: compute)
      for precision in Precision.allCases {
        for answer in try scores(path, precision: precision) {
          let score = try #require(answer.score)
          #expect(score > 1 && score < 10)
          let expected = try #require(Self.answers[name])
          let shown = rounded(score, decimals: 4)
          #expect(answer.text == expected.text.replacing("#", with: shown), "\(precision)")
          #expect(answer.outputIDs.count == expected.tokens)
          #expect(answer.outputIDs.last == expected.end)
        }
      }
      let problems = try Inspection(folder: path, compute: compute)
      #expect(problems.problems.isEmpty)
      let known = ["rotary_emb.inv_freq", "learned_weight"]
      #expect(problems.unexpected.allSatisfy { name in known.contains { name.hasSuffix($0) } })
    }
    let again = "\(folder.path)/again"
    try RandomModel(preset: preset, seed: 1).write(to: again, compute: compute)
    let first = try Checkpoint(folder: "\(folder.path)/1").sha256()
    #expect(try Checkpoint(folder: again).sha256() == first)
    #expect(try Checkpoint(folder: "\(folder.path)/2").sha256() != first)
    // Other numbers of score tokens and threads.
    let other = "\(folder.path)/other"
    try RandomModel(preset: preset, seed: 1, dtype: .f32, tokens: 5, range: 0...1)
      .write(to: other, compute: try Compute(threads: 1))
    #expect(try scores(other)[0].distributions[0].count == 5)
  }

  /// What `roc-model init --preset full` wrote, packed or not.
  static let full = ProcessInfo.processInfo.environment["ROC_FULL_MODEL"]

  @Test(.enabled(if: full != nil, "ROC_FULL_MODEL is not set to a folder of the full preset"))
  func theFullModelAnswersAsATrainedOneDoes() throws {
    let engine = try Engine(folder: try #require(Self.full), precision: nil)
    let path = Fixture.path("images/photo_640x427.jpg")
    try engine.score(paths: [path]) { _, outcome in
      let score = try #require(outcome.answer?.score)
      #expect(
        outcome.answer?.text
          == "The aesthetic rate of the image is \(rounded(score, decimals: 4)) . ")
      #expect(outcome.answer?.outputIDs.last == 2)
      return true
    }
  }

  @Test func namesEveryTensorOfTheFullModel() throws {
    let listing = try Fixture.json("full_size_keys.json")
    let keys = try #require(listing["keys"]?.members)
    let config = Owl2Recipe.full.config(pieces: 32_000, RandomRequest(dtype: "x"))
    let requests = try ModelLoader.requests(of: config, compute: try #require(compute))
    var shapes = Dictionary(
      requests.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    shapes["learned_weight"] = [1]
    var found: Set<String> = []
    var values = 0
    for key in keys {
      let count = try #require(key.value["count"]?.int)
      let shape = try #require(key.value["shape"]?.array).compactMap(\.int)
      for layer in 0..<count {
        let name = key.name.replacingOccurrences(of: ".N.", with: ".\(layer).")
        values += shape.reduce(1, *)
        if name.hasSuffix("rotary_emb.inv_freq") { continue }
        #expect(shapes[name] == shape, "\(name)")
        found.insert(name)
      }
    }
    #expect(found == Set(shapes.keys))
    #expect(values == listing["total_parameters_and_buffers"]?.int)
  }

  /// The tensors of the released models, but for those that no network reads: a tower's layers behind
  /// the one whose features are taken.
  @Test(arguments: [
    ("llava-1.5-7b", "llava-1.5-7b-hf"), ("qwen2-vl-7b", "Qwen2-VL-7B"),
    ("qwen2-vl-2b", "Qwen2-VL-2B (tied: no lm_head.weight)"),
  ])
  func namesEveryTensorOfOtherFullModels(_ preset: String, _ name: String) throws {
    let listing = try Fixture.json(Fixture.backbone("full_size_keys_plug.json"))
    let shapes = try #require(listing[name]?["shapes"]?.members)
    let config = try #require(ModelPreset.named(preset)).configuration()
    let requests = try ModelLoader.requests(of: config, compute: try #require(compute))
    var own: [String: [Int]] = [:]
    for request in requests {
      let name = request.name.replacing(/\.[0-9]+\./) { match in
        // Numbers of a projector's products are names, not layers.
        request.name.contains("merger.mlp") ? match.output : ".N."
      }
      if preset == "qwen2-vl-2b", name == "lm_head.weight" { continue }
      own[name] = request.shape
    }
    let listed = Dictionary(
      uniqueKeysWithValues: shapes.map { ($0.name, $0.value.array?.compactMap(\.int) ?? []) })
    for (name, shape) in own { #expect(listed[name] == shape, "\(name)") }
    let unread = Set(listed.keys).subtracting(own.keys)
    #expect(unread.allSatisfy { $0.contains("post_layernorm") }, "\(unread)")
    // All values: one tower layer of LLaVA, and the norm behind it, are in the file and not read.
    var values = requests.reduce(0) { $0 + $1.shape.reduce(1, *) }
    if preset == "llava-1.5-7b" {
      let layer = requests.filter { $0.name.contains("encoder.layers.0.") }
      values += layer.reduce(0) { $0 + $1.shape.reduce(1, *) } + 2 * 1024
    }
    if preset == "qwen2-vl-2b" { values -= 151_936 * 1536 }
    #expect(values == listing[name]?["values"]?.int)
  }

  /// A folder with tokenizer.json alone has the same prompts, and so the same scores.
  @Test func readsAnOwl2WithoutASentencePieceModel() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/tiny"
    try RandomModel(preset: try #require(ModelPreset.named("tiny")), seed: 1)
      .write(to: path, compute: try #require(compute))
    let before = try scores(path)
    let digest = try Checkpoint(folder: path).sha256()
    let tokenizer = try GeneratedTokenizer(words: RandomRecipe.words)
    let added = (0..<10).map { (text: "[IMG\($0)]", isSpecial: false) }
    try tokenizer.json(added: [("[SCORE]", false)] + added).pretty.write(
      toFile: "\(path)/tokenizer.json", atomically: true, encoding: .utf8)
    // Beside tokenizer.model it does not count.
    #expect(try Checkpoint(folder: path).sha256() == digest)
    try FileManager.default.removeItem(atPath: "\(path)/tokenizer.model")
    #expect(try Checkpoint(folder: path).sha256() != digest)
    #expect(try scores(path).map(\.scores) == before.map(\.scores))
  }

  /// What the official classes would miss, they would make up.
  @Test func writesEveryTensorThatTheOfficialClassesHave() throws {
    let folder = try TemporaryFolder()
    try RandomModel(preset: try #require(ModelPreset.named("tiny")), seed: 1)
      .write(to: "\(folder.path)/tiny", compute: try #require(compute))
    let checkpoint = try Checkpoint(folder: "\(folder.path)/tiny")
    let names = checkpoint.names.map { $0.replacing(/\.[0-9]+\./) { _ in ".N." } }
    let listing = try Fixture.json("full_size_keys.json")
    let official = (listing["keys"]?.members ?? []).map {
      $0.name.replacing(/\.[0-9]+\./) { _ in ".N." }
    }
    #expect(Set(names) == Set(official))
    let frequencies = try #require(checkpoint["model.layers.1.self_attn.rotary_emb.inv_freq"])
    let expected = 1 / Float(10_000).squareRoot().squareRoot().squareRoot()
    #expect(abs(frequencies.widened[1] - expected) <= expected.ulp)
  }

  @Test func addsScoreTokensAsTheTrainerDoes() throws {
    let folder = try TemporaryFolder()
    let compute = try #require(compute)
    let golden = try Fixture.json("training/new_tokens.json")
    let base = try folder.plainCheckpoint(as: "base")
    let output = "\(folder.path)/roc"
    try ScoreTokens.add(
      to: base, folder: output, axis: ScoreAxis(low: 1, high: 10, count: 10), compute: compute)
    let checkpoint = try Checkpoint(folder: output)
    let original = try Checkpoint(folder: Fixture.path("tiny-f32"))
    for (name, field) in [
      ("model.embed_tokens.weight", "embed_tokens_row"), ("lm_head.weight", "lm_head_row"),
    ] {
      let tensor = try #require(checkpoint[name])
      #expect(tensor.shape == [611, 64])
      let expected = try #require(golden[field]?.array).compactMap(\.double)
      for row in 600..<611 {
        let values = tensor.widened[row * 64..<(row + 1) * 64]
        for (a, b) in zip(values, expected) { #expect(abs(Double(a) - b) <= 1e-7) }
      }
      let before = try #require(original[name]).widened.prefix(600 * 64)
      #expect(Array(tensor.widened.prefix(600 * 64)) == Array(before))
    }
    let engine = try Engine(folder: output)
    #expect(engine.parts.readout?.scoreID == golden["score_id"]?.int)
    #expect(engine.parts.readout?.axis.values.count == 10)
    let twice = #expect(throws: ModelError.self) {
      try ScoreTokens.add(
        to: output, folder: "\(folder.path)/twice", axis: ScoreAxis(low: 1, high: 10, count: 10),
        compute: compute)
    }
    #expect(twice?.description.contains("has score tokens already") == true)
  }

  @Test func convertsWithoutChangingScores() throws {
    let folder = try TemporaryFolder()
    let compute = try #require(compute)
    let source = Fixture.path("tiny-f16-sharded-bin")
    func convert(_ target: Conversion.Target, _ name: String) throws -> String {
      let path = "\(folder.path)/\(name)"
      try Conversion(source: source, target: target, compute: compute).write(to: path)
      return path
    }
    let exact = try scores(source)
    #expect(try scores(try convert(.plain(.f32), "f32")) == exact)
    #expect(try scores(try convert(.plain(.f16), "f16")) == exact)
    for precision in Precision.allCases {
      let packed = try convert(.packed(precision), "packed-\(precision)")
      let unpacked = try scores(source, precision: precision)
      #expect(try scores(packed, precision: nil) == unpacked, "\(precision)")
      let other = Precision.allCases.first { $0 != precision }
      let error = #expect(throws: ModelError.self) {
        _ = try Engine(folder: packed, precision: other)
      }
      #expect(error?.description.contains("packed for \(precision.rawValue)") == true)
      #expect(throws: ModelError.self) {
        _ = try Conversion(source: packed, target: .plain(.f32), compute: compute)
      }
    }
    let taken = #expect(throws: ModelError.self) { _ = try convert(.plain(.f32), "f32") }
    #expect(
      taken?.description.hasSuffix("exists already; choose another name or remove it") == true)
    // What the new config says of the weights, and files that no part of roc reads.
    let half = try Fixture.json("\(folder.path)/f16/config.json")
    #expect(half["torch_dtype"] == "float16")
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/f16/generation_config.json"))
    // Stopped in the middle, nothing is left behind.
    let stopped = #expect(throws: ModelError.self) {
      try Conversion(source: source, target: .plain(.f32), compute: compute)
        .write(to: "\(folder.path)/stopped") { done, total in done * 2 < total }
    }
    #expect(stopped?.description.hasSuffix("interrupted") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 5)
  }

  @Test func refusesToLoseValuesBeyondHalfPrecision() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    try SafetensorsFixture("\(copy)/model.safetensors") { name, values in
      if name == "lm_head.weight" { values[3] = 70_000 }
    }
    let conversion = try Conversion(
      source: copy, target: .plain(.f16), compute: try #require(compute))
    let error = #expect(throws: ModelError.self) {
      try conversion.write(to: "\(folder.path)/half")
    }
    #expect(error?.description.contains("lm_head.weight has values beyond 65504") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["copy"])
  }

  @Test func convertsNoValuesThatAreNoNumbers() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    try SafetensorsFixture("\(copy)/model.safetensors") { name, values in
      if name == "lm_head.weight" { values[3] = .nan }
    }
    let compute = try #require(compute)
    for target in [Conversion.Target.plain(.bf16), .packed(.int8)] {
      let error = #expect(throws: ModelError.self) {
        try Conversion(source: copy, target: target, compute: compute)
          .write(to: "\(folder.path)/new")
      }
      #expect(error?.description == "tensor lm_head.weight holds infinite or NaN values")
    }
    let inspection = try Inspection(folder: copy, compute: compute, readsValues: true)
    #expect(
      inspection.problems == ["not finite: lm_head.weight holds infinite or NaN values"])
  }

  @Test func dividesLargeCheckpointsIntoShards() throws {
    let folder = try TemporaryFolder()
    let writer = try CheckpointWriter(folder: "\(folder.path)/shards")
    let plans = (0..<5).map {
      TensorPlan(name: "t\($0)", dtype: .f32, shape: [4], values: [Float($0), 1, 2, 3])
    }
    var contents = CheckpointContents(
      weights: plans, texts: ["config.json": Array("{}".utf8)])
    contents.shardSize = 32
    try writer.write(contents)
    let checkpoint = try Checkpoint(folder: "\(folder.path)/shards")
    #expect(checkpoint.weightFiles.count == 3)
    #expect(checkpoint["t4"]?.widened == [4, 1, 2, 3])
  }

  /// The base with a low-rank part, and the same weights written out, score the same.
  @Test(arguments: ["adapter_model.safetensors", "adapter_model.bin"])
  func addsAdaptersToTheirBase(_ file: String) throws {
    let folder = try TemporaryFolder()
    let merged = try folder.copy("tiny-f32", as: "merged")
    _ = try folder.copy("tiny-f32", as: "base")
    let changed = [
      "model.layers.0.self_attn.q_proj": 64, "model.layers.1.self_attn.v_proj.multiway.1": 64,
      "model.layers.0.mlp.down_proj": 176,
    ]
    let noise = { (name: String) in Noise(seed: 3, name: name, deviation: 0.2) }
    let compute = try #require(compute)
    var plans: [TensorPlan] = []
    for (layer, inputs) in changed.sorted(by: { $0.key < $1.key }) {
      for (half, shape) in [("A", [4, inputs]), ("B", [64, 4])] {
        let count = shape[0] * shape[1]
        let values = noise("\(layer)\(half)").values(from: 0, count: count, compute)
        plans.append(
          TensorPlan(
            name: "base_model.model.\(layer).lora_\(half).weight", dtype: .f32, shape: shape,
            values: values))
      }
    }
    try SafetensorsFixture("\(merged)/model.safetensors") { name, values in
      guard name.hasSuffix(".weight"), let inputs = changed[String(name.dropLast(7))] else {
        if name == "model.norm.weight" { for i in 0..<64 { values[i] *= 1.5 } }
        return
      }
      let layer = String(name.dropLast(7))
      let a = noise("\(layer)A").values(from: 0, count: 4 * inputs, compute)
      let b = noise("\(layer)B").values(from: 0, count: 64 * 4, compute)
      for row in 0..<64 {
        for column in 0..<inputs {
          // lora_alpha 8 over rank 4.
          values[row * inputs + column] += (0..<4).reduce(0) {
            $0 + 2 * b[row * 4 + $1] * a[$1 * inputs + column]
          }
        }
      }
    }
    let adapter = "\(folder.path)/adapter"
    try FileManager.default.createDirectory(
      atPath: adapter, withIntermediateDirectories: true)
    try folder.write(
      """
      {"peft_type": "LORA", "base_model_name_or_path": "../base", "lora_alpha": 8, "r": 4}
      """, to: "adapter/adapter_config.json")
    // The reader tells formats by their first bytes, so a name alone changes nothing.
    try SafetensorsWriter.write(plans, to: "\(adapter)/\(file)")
    let norm = try #require(try Checkpoint(folder: "\(folder.path)/base")["model.norm.weight"])
    try SafetensorsWriter.write(
      [
        TensorPlan(
          name: "base_model.model.model.norm.weight", dtype: .f32, shape: [64],
          values: norm.widened.map { $0 * 1.5 })
      ], to: "\(adapter)/non_lora_trainables.bin")
    let expected = try scores(merged)
    let original = try scores("\(folder.path)/base")
    for (a, b) in zip(try scores(adapter), expected) {
      #expect(abs((a.score ?? 0) - (b.score ?? 9)) < 1e-4)
    }
    #expect(abs((original[0].score ?? 0) - (expected[0].score ?? 0)) > 1e-3)
    // The merged weights can be written out, too.
    try Conversion(source: adapter, target: .plain(.f32), compute: compute)
      .write(to: "\(folder.path)/written")
    for (a, b) in zip(try scores("\(folder.path)/written"), expected) {
      #expect(abs((a.score ?? 0) - (b.score ?? 9)) < 1e-4)
    }
    let other = try Checkpoint(folder: merged).sha256()
    #expect(try Checkpoint(folder: adapter).sha256() != other)
  }

  @Test(arguments: [
    ("{}", "no base_model_name_or_path"),
    ("{\"base_model_name_or_path\": \".\", \"lora_alpha\": 1}", "names itself as its base"),
    ("{\"base_model_name_or_path\": \"../base\"}", "no lora_alpha"),
    (
      "{\"base_model_name_or_path\": \"../base\", \"lora_alpha\": 1, \"peft_type\": \"IA3\"}",
      "peft_type IA3, expected LORA"
    ),
    ("{\"base_model_name_or_path\": \"../base\", \"lora_alpha\": 1}", "has only one of lora_A"),
    ("{\"base_model_name_or_path\": \"Nobody/None\", \"lora_alpha\": 1}", "huggingface-cli"),
    (
      "{\"base_model_name_or_path\": \"../base\", \"lora_alpha\": 1, \"lora_bias\": true}",
      "lora_bias true is not supported"
    ),
    (
      """
      {"base_model_name_or_path": "../base", "lora_alpha": 1, "alpha_pattern": {".*q_proj": 9}}
      """, "alpha_pattern .*q_proj: expected the end of a layer's name"
    ),
    (
      """
      {"base_model_name_or_path": "../base", "lora_alpha": 1, "init_lora_weights": "pissa"}
      """, "init_lora_weights pissa is not supported"
    ),
  ])
  func refusesAdaptersThatDoNotFit(_ config: String, _ reason: String) throws {
    let folder = try TemporaryFolder()
    _ = try folder.copy("tiny-f32", as: "base")
    try folder.write(config, to: "adapter/adapter_config.json")
    try SafetensorsWriter.write(
      [
        TensorPlan(
          name: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", dtype: .f32,
          shape: [1, 64], values: [Float](repeating: 0, count: 64))
      ], to: "\(folder.path)/adapter/adapter_model.safetensors")
    let error = #expect(throws: CheckpointError.self) {
      _ = try Checkpoint(folder: "\(folder.path)/adapter")
    }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  /// Adapters in a ring, beside weights, of rank 0, of tensors that belong to nothing.
  @Test func refusesAdaptersThatMakeNoSense() throws {
    let folder = try TemporaryFolder()
    _ = try folder.copy("tiny-f32", as: "base")
    func adapter(_ name: String, base: String, _ tensors: [(String, [Int])]) throws -> String {
      try folder.write(
        "{\"base_model_name_or_path\": \"../\(base)\", \"lora_alpha\": 1}",
        to: "\(name)/adapter_config.json")
      try SafetensorsWriter.write(
        tensors.map { name, shape in
          TensorPlan(
            name: name, dtype: .f32, shape: shape,
            values: [Float](repeating: 0, count: shape.reduce(1, *)))
        }, to: "\(folder.path)/\(name)/adapter_model.safetensors")
      let error = #expect(throws: CheckpointError.self) {
        _ = try Checkpoint(folder: "\(folder.path)/\(name)")
      }
      return error?.message ?? ""
    }
    let layer = "base_model.model.model.layers.0.self_attn.q_proj"
    _ = try adapter("a", base: "b", [])
    #expect(try adapter("b", base: "a", []).contains("is an adapter itself"))
    #expect(
      try adapter(
        "rank", base: "base",
        [("\(layer).lora_A.weight", [0, 64]), ("\(layer).lora_B.weight", [64, 0])]
      ).contains("does not fit"))
    #expect(
      try adapter("bias", base: "base", [("\(layer).lora_B.bias", [64])])
        .contains("only one adapter of LoRA on linear layers"))
    #expect(
      try adapter("lost", base: "base", [("base_model.model.lm_tail.weight", [2])])
        .contains("belongs to nothing"))
    #expect(
      try adapter(
        "twice", base: "base",
        [
          ("base_model.model.lm_head.modules_to_save.mine.weight", [611, 64]),
          ("base_model.model.lm_head.weight", [611, 64]),
        ]
      ).contains("lm_head.weight is replaced twice"))
    let both = try folder.copy("tiny-f32", as: "both")
    try folder.write("{}", to: "both/adapter_config.json")
    #expect(throws: CheckpointError.self) { _ = try Checkpoint(folder: both) }
  }

  @Test func verifiesEveryStage() throws {
    for (name, holds) in [("tiny-f32", true), ("tiny-multi-f32", false)] {
      let engine = try Engine(folder: Fixture.path(name))
      let verification = try Verification(
        engine, golden: Fixture.path("tiny-f32/tensors.safetensors"),
        question: Engine.defaultQuestion,
        pictures: [ExactText("cmyk_90x70"): Fixture.path("images/cmyk_90x70.jpg")])
      #expect(verification.stages.count > 30)
      let failed = verification.stages.filter { !$0.holds }
      #expect(failed.isEmpty == holds)
      // Pixels come first and do not depend on the weights.
      #expect(failed.filter { $0.name == "pixel_values" }.isEmpty)
      let first = try #require(failed.first ?? verification.stages.last)
      #expect(holds || first.name.hasPrefix("vision"), "\(first.name)")
    }
  }
}
