import Foundation
import RocCheckpoint
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import Testing

/// Checkpoints as other programs save them: keys that change numbers, wrappers' names, tied tables.
struct ForeignCheckpointTests {
  /// A copy of tiny-f32 whose config.json has other members.
  private func copy(
    _ folder: TemporaryFolder, removing: [String] = [], _ changes: [JSON.Member] = []
  ) throws -> String {
    let copy = try folder.copy("tiny-f32", as: UUID().uuidString)
    let names = removing + changes.map(\.name)
    var config = try Fixture.json("\(copy)/config.json").members ?? []
    config.removeAll { names.contains($0.name) }
    try JSON.object(config + changes).pretty.write(
      toFile: "\(copy)/config.json", atomically: true, encoding: .utf8)
    return copy
  }

  private func score(_ folder: String) throws -> Double {
    let engine = try Engine(folder: folder, precision: .f32)
    var score: Double?
    try engine.score(paths: [Fixture.path("images/rgb_64x64.png")]) { _, outcome in
      score = outcome.answer?.scores.first
      return true
    }
    return try #require(score)
  }

  private func refusal(_ folder: String) -> String {
    let error = #expect(throws: ModelError.self) { _ = try Engine(folder: folder) }
    return error?.description ?? ""
  }

  @Test func readsRotaryKeysInBothForms() throws {
    let folder = try TemporaryFolder()
    let plain = try score(Fixture.path("tiny-f32"))
    let old = try score(copy(folder, [.init("rope_theta", 500_000)]))
    #expect(abs(old - plain) > 1e-6)
    let keys = ["rope_theta", "rope_scaling"]
    let new = try copy(
      folder, removing: keys,
      [.init("rope_parameters", ["rope_type": "default", "rope_theta": 500_000])])
    #expect(try score(new) == old)
    let none = try copy(folder, [.init("rope_scaling", ["rope_type": "default"])])
    #expect(try score(none) == plain)
    let linear = try score(
      copy(folder, [.init("rope_scaling", ["type": "linear", "factor": 2.0])]))
    #expect(abs(linear - plain) > 1e-6)
    let same = try copy(
      folder, removing: keys,
      [
        .init(
          "rope_parameters", ["rope_type": "linear", "factor": 2, "rope_theta": 10_000])
      ])
    #expect(try score(same) == linear)
  }

  @Test(
    arguments: [
      (
        "rope_parameters", JSON.object([.init("rope_type", "yarn"), .init("factor", 4)]),
        "rope_type yarn"
      ),
      (
        "rope_parameters", ["rope_theta": 20_000],
        "rope_theta is 10000.0, and 20000.0 in rope_param"
      ),
      ("rope_parameters", ["full_attention": ["rope_theta": 10_000]], "full_attention is not supp"),
      ("rope_parameters", ["partial_rotary_factor": 0.5], "partial_rotary_factor"),
      ("rope_parameters", "default", "expected an object"),
      ("rope_scaling", ["rope_type": "linear"], "needs a factor"),
      ("rope_scaling", ["factor": 2], "a factor without rope_type"),
      ("rope_scaling", ["rope_type": "default", "factor": 2], "has no factor, but 2.0 is given"),
      (
        "rope_scaling", ["rope_type": "linear", "type": "default", "factor": 2],
        "no single rope_type"
      ),
      ("hidden_act", "gelu", "hidden_act \"gelu\" is not supported"),
      ("head_dim", 128, "head_dim 128"),
      ("mlp_bias", true, "mlp_bias true"),
      ("sliding_window", 4096, "sliding_window 4096"),
      ("quantization_config", ["bits": 4], "quantization_config"),
    ] as [(String, JSON, String)])
  func refusesWhatItDoesNotCompute(_ key: String, _ value: JSON, _ reason: String) throws {
    let folder = try TemporaryFolder()
    let message = refusal(try copy(folder, [.init(key, value)]))
    #expect(message.contains(reason), "\(message)")
    #expect(message.hasPrefix(folder.path))
  }

  @Test func contradictingRotaryKeysAreRefused() throws {
    let folder = try TemporaryFolder()
    let copy = try copy(
      folder,
      [
        .init("rope_scaling", ["type": "linear", "factor": 2]),
        .init("rope_parameters", ["rope_type": "linear", "factor": 4]),
      ])
    #expect(refusal(copy).contains("contradict each other"))
  }

  /// Writes the fixture's tensors under other names, perhaps in several files.
  private func rewrite(
    _ folder: String, files: [String] = ["model.safetensors"], leavingOut: Set<String> = [],
    _ name: (String) -> String
  ) throws {
    let path = "\(folder)/model.safetensors"
    let tensors = try SafetensorsFile(path: path).tensors.filter { !leavingOut.contains($0.name) }
    let parts = files.indices.map { part in
      tensors.enumerated().filter { $0.offset % files.count == part }.map(\.element)
    }
    let plans = parts.map { part in
      part.map { TensorPlan(name: name($0.name), dtype: .f32, shape: $0.shape, values: $0.widened) }
    }
    try FileManager.default.removeItem(atPath: path)
    for (file, plan) in zip(files, plans) {
      try SafetensorsWriter.write(plan, to: "\(folder)/\(file)")
    }
  }

  @Test(arguments: ["module.", "base_model.model.", "_orig_mod.", "module._orig_mod."])
  func takesOffWhatWrappersPutAroundNames(_ prefix: String) throws {
    let folder = try TemporaryFolder()
    let copy = try copy(folder)
    try rewrite(copy) { prefix + $0 }
    #expect(try score(copy) == score(Fixture.path("tiny-f32")))
    let notes = try Checkpoint(folder: copy).notes
    #expect(notes.count == 1 && notes[0].contains("\(prefix)learned_weight is learned_weight"))
    // In the middle of names, and only of some.
    let inner = try self.copy(folder)
    try rewrite(inner) {
      $0.replacingOccurrences(of: "model.layers.0.", with: "model.layers.0._orig_mod.")
    }
    #expect(try score(inner) == score(Fixture.path("tiny-f32")))
  }

  @Test func refusesNamesThatBecomeEqualAndUnmergedAdapters() throws {
    let folder = try TemporaryFolder()
    let twice = try copy(folder)
    try rewrite(twice) {
      $0 == "model.norm.weight" ? "module.lm_head.weight" : $0
    }
    #expect(refusal(twice).contains("two tensors are lm_head.weight"))
    let unmerged = try copy(folder)
    try rewrite(unmerged) {
      $0 == "learned_weight" ? "model.layers.0.self_attn.q_proj.lora_A.weight" : $0
    }
    #expect(refusal(unmerged).contains("was not merged into these weights"))
  }

  @Test func readsShardsThatNoIndexNames() throws {
    let folder = try TemporaryFolder()
    let copy = try copy(folder)
    let files = (1...3).map { "model-0000\($0)-of-00003.safetensors" }
    try rewrite(copy, files: files) { $0 }
    #expect(try score(copy) == score(Fixture.path("tiny-f32")))
    #expect(try Checkpoint(folder: copy).weightFiles == files)
    try FileManager.default.removeItem(atPath: "\(copy)/\(files[1])")
    #expect(
      refusal(copy).contains("2 of 3 shards model-*-of-00003.safetensors are there; missing: 2"))
  }

  /// The official code looks neither at the tower's `hidden_act` nor at `added_tokens_decoder`, which
  /// transformers 4.31 does not know.
  @Test func passesOverWhatTheOfficialCodePassesOver() throws {
    let folder = try TemporaryFolder()
    let plain = try score(Fixture.path("tiny-f32"))
    let visual = try #require(try Fixture.json("tiny-f32/config.json")["visual_config"])
    let members = (visual.members ?? []).map { member in
      guard member.name == "visual_model" else { return member }
      return JSON.Member(
        member.name,
        .object(
          (member.value.members ?? []).map {
            $0.name == "hidden_act" ? .init("hidden_act", "gelu") : $0
          }))
    }
    #expect(try score(try copy(folder, [.init("visual_config", .object(members))])) == plain)
    let stated = try copy(folder)
    let file = "\(stated)/tokenizer_config.json"
    let settings = try Fixture.json(file).members ?? []
    let decoder: JSON = ["600": ["content": "[SCORE]", "lstrip": false, "rstrip": false]]
    try JSON.object(settings + [.init("added_tokens_decoder", decoder)]).pretty.write(
      toFile: file, atomically: true, encoding: .utf8)
    #expect(try score(stated) == plain)
  }

  @Test func readsTiedTables() throws {
    let folder = try TemporaryFolder()
    let tied = try copy(folder, [.init("tie_word_embeddings", true)])
    try rewrite(tied, leavingOut: ["lm_head.weight"]) { $0 }
    let engine = try ModelLoader(folder: tied, compute: try Compute(threads: 1))
    #expect(engine.unexpected.isEmpty)
    // Untied, the same files lack a tensor.
    let untied = try copy(folder)
    try rewrite(untied, leavingOut: ["lm_head.weight"]) { $0 }
    #expect(refusal(untied).contains("missing: lm_head.weight"))
    // A head of its own in the files does not count, as in transformers, and that is said.
    let both = try copy(folder, [.init("tie_word_embeddings", true)])
    let notes = try ModelLoader(folder: both, compute: try Compute(threads: 1)).checkpoint.notes
    #expect(notes.count == 1 && notes[0].contains("lm_head.weight differs from model.embed_tokens"))
    // A conversion leaves them one tensor.
    let out = "\(folder.path)/out"
    try Conversion(source: tied, target: .plain(.bf16), compute: try Compute(threads: 1))
      .write(to: out)
    #expect(try Fixture.json("\(out)/config.json")["tie_word_embeddings"]?.bool == true)
    #expect(try Checkpoint(folder: out)["lm_head.weight"] == nil)
    #expect(try ModelLoader(folder: out, compute: try Compute(threads: 1)).unexpected.isEmpty)
  }

  @Test func conversionRewritesEveryKeyThatItContradicts() throws {
    let folder = try TemporaryFolder()
    let new = try copy(folder, removing: ["torch_dtype"], [.init("dtype", "float32")])
    let compute = try Compute(threads: 1)
    let out = "\(folder.path)/out"
    try Conversion(source: new, target: .plain(.bf16), compute: compute).write(to: out)
    let config = try Fixture.json("\(out)/config.json")
    #expect(config["dtype"]?.string == "bfloat16")
    #expect(config["torch_dtype"] == nil)
    let both = try copy(folder, [.init("dtype", "float32"), .init("torch_dtype", "float32")])
    try Conversion(source: both, target: .plain(.f16), compute: compute).write(to: out + "2")
    let second = try Fixture.json("\(out)2/config.json")
    #expect(second["dtype"]?.string == "float16" && second["torch_dtype"]?.string == "float16")
  }

  @Test func adaptersMayBringLongerTables() throws {
    let folder = try TemporaryFolder()
    // The whole model is the base with 11 rows fewer; the adapter brings all rows.
    let whole = Fixture.path("tiny-f32")
    let base = try copy(folder, [.init("vocab_size", 600)])
    let tables = ["model.embed_tokens.weight", "lm_head.weight"]
    let all = try SafetensorsFile(path: "\(whole)/model.safetensors").tensors
    let short = all.map { tensor in
      let isTable = tables.contains(tensor.name)
      return TensorPlan(
        name: tensor.name, dtype: .f32, shape: isTable ? [600, 64] : tensor.shape,
        values: Array(tensor.widened.prefix(isTable ? 600 * 64 : tensor.count)))
    }
    try FileManager.default.removeItem(atPath: "\(base)/model.safetensors")
    try SafetensorsWriter.write(short, to: "\(base)/model.safetensors")
    let adapter = "\(folder.path)/adapter"
    try FileManager.default.createDirectory(atPath: adapter, withIntermediateDirectories: true)
    let settings: JSON = [
      "base_model_name_or_path": .string(base), "peft_type": "LORA", "lora_alpha": 8, "r": 2,
    ]
    try settings.pretty.write(
      toFile: "\(adapter)/adapter_config.json", atomically: true, encoding: .utf8)
    func write(_ names: [String]) throws {
      let plans = all.filter { names.contains($0.name) }.map {
        TensorPlan(
          name: "base_model.model.\($0.name)", dtype: .f32, shape: $0.shape, values: $0.widened)
      }
      try? FileManager.default.removeItem(atPath: "\(adapter)/adapter_model.safetensors")
      try SafetensorsWriter.write(plans, to: "\(adapter)/adapter_model.safetensors")
    }
    try write(tables)
    #expect(try score(adapter) == score(whole))
    let merged = "\(folder.path)/merged"
    try Conversion(source: adapter, target: .plain(.f32), compute: try Compute(threads: 1))
      .write(to: merged)
    #expect(try Fixture.json("\(merged)/config.json")["vocab_size"]?.int == 611)
    #expect(try score(merged) == score(whole))
    try write([tables[0]])
    #expect(refusal(adapter).contains("brings 611 rows of model.embed_tokens.weight, but lm_head"))
  }
}
