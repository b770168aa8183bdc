import Foundation
import RocCheckpoint
import RocDigest
import RocImage
import RocJSON
import RocModel
import RocScore
import RocTensor
import RocTestSupport
import RocTokenizer
import Testing

/// LLaVA-1.5 and Qwen2-VL in the forms in which others save them.
struct OtherBackboneTests {
  private let folder: TemporaryFolder
  private let compute: Compute

  init() throws {
    folder = try TemporaryFolder()
    compute = try Compute(threads: 2)
  }

  /// A checkpoint like one of the reference, with other names, tensors or settings.
  private func copy(
    _ name: String, as other: String = "copy", rename: (String) -> String? = { $0 },
    config: ([JSON.Member]) -> [JSON.Member] = { $0 }, without: [String] = []
  ) throws -> String {
    let source = try Checkpoint(folder: Fixture.backbone(name))
    let plans = try source.names.compactMap { name in
      try rename(name).map { TensorPlan(copying: try #require(source[name]).renamed($0)) }
    }
    let members = config(try source.json("config.json").members ?? [])
    let path = "\(folder.path)/\(other)"
    try CheckpointWriter(folder: path).write(
      CheckpointContents(
        weights: plans, texts: ["config.json": Array(JSON.object(members).pretty.utf8)],
        copies: source.otherFiles.filter { !without.contains($0.key) }))
    if name == "llava-original-f16" {
      try FileManager.default.copyItem(
        atPath: "\(Fixture.backbone(name))/clip", toPath: "\(path)/clip")
    }
    return path
  }

  private func answer(_ path: String) throws -> Answer {
    let engine = try Engine(
      ModelLoader(folder: path, compute: compute, precision: .f32), compute: compute)
    let picture = Fixture.path("images/photo_640x427.jpg")
    return try engine.answer(
      try engine.parts.preprocessing(try Picture.read(picture), path: picture))
  }

  private func refusal(_ path: String) -> String {
    do throws(ModelError) {
      let loader = try ModelLoader(folder: path, compute: compute, precision: .f32)
      _ = try loader.load()
      return "nothing"
    } catch {
      return error.description
    }
  }

  private static func set(_ changes: JSON.Member...) -> ([JSON.Member]) -> [JSON.Member] {
    { members in
      members.filter { member in !changes.contains { $0.name == member.name } } + changes
    }
  }

  // MARK: Names and keys

  /// The names that transformers has had in memory since 4.52.
  @Test func readsTheNewerNames() throws {
    let llava = try copy(
      "llava-hf-f32", as: "llava",
      rename: { name in
        if name.hasPrefix("language_model.lm_head.") {
          return String(name.dropFirst("language_model.".count))
        }
        if name.hasPrefix("language_model.model.") {
          return "model.language_model." + name.dropFirst("language_model.model.".count)
        }
        return "model." + name
      })
    #expect(try answer(llava) == answer(Fixture.backbone("llava-hf-f32")))
    let qwen = try copy(
      "qwen2vl-f32", as: "qwen",
      rename: { name in
        if name.hasPrefix("model.") { return "model.language_model." + name.dropFirst(6) }
        return name.hasPrefix("visual.") ? "model." + name : name
      })
    #expect(try answer(qwen) == answer(Fixture.backbone("qwen2vl-f32")))
  }

  /// The keys of transformers 5: the decoder's in `text_config`, the rotation's in
  /// `rope_parameters`, `dtype`, `image_token_id`.
  @Test func readsTheKeysOfTransformers5() throws {
    let vision = ["vision_config", "model_type", "image_token_id", "architectures"]
    let path = try copy(
      "qwen2vl-f32", as: "qwen",
      config: { members in
        func isOuter(_ name: String) -> Bool {
          vision.contains(name) || name.hasSuffix("_id") || name.contains("score")
            || name.contains("num_tokens") || name.contains("token_num")
        }
        let old = ["rope_theta", "rope_scaling", "torch_dtype", "tie_word_embeddings"]
        var inner = members.filter { !isOuter($0.name) && !old.contains($0.name) }
        inner += [
          .init(
            "rope_parameters",
            ["rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1_000_000.0]),
          .init("dtype", "float32"), .init("model_type", "qwen2_vl_text"),
        ]
        return members.filter { isOuter($0.name) } + [
          .init("text_config", .object(inner)), .init("dtype", "float32"),
          .init("tie_word_embeddings", false),
        ]
      })
    #expect(try answer(path) == answer(Fixture.backbone("qwen2vl-f32")))
    let llava = try copy(
      "llava-hf-f32", as: "llava",
      config: { members in
        members.map { member in
          switch member.name {
          case "image_token_index": .init("image_token_id", member.value)
          case "torch_dtype": .init("dtype", member.value)
          case "text_config":
            .init(
              "text_config",
              .object(
                (member.value.members ?? []) + [
                  .init("rope_parameters", ["rope_type": "default", "rope_theta": 10_000.0])
                ]))
          default: member
          }
        }
      })
    #expect(try answer(llava) == answer(Fixture.backbone("llava-hf-f32")))
  }

  @Test(arguments: [
    ("llava-hf-f32", JSON.Member("vision_feature_layer", [-2, -5]), "expected one layer"),
    ("llava-hf-f32", .init("vision_feature_layer", -9), "layer -9 of 3 do not exist"),
    ("llava-hf-f32", .init("projector_hidden_act", "relu"), "projector_hidden_act \"relu\""),
    ("llava-hf-f32", .init("vision_feature_select_strategy", "mean"), "features mean"),
    ("llava-hf-f32", .init("text_config", ["model_type": "mistral"]), "is a mistral"),
    (
      "llava-hf-f32", .init("vision_config", ["model_type": "siglip_vision_model"]),
      "expected a clip_vision_model"
    ),
    ("llava-hf-f32", .init("image_token_index", 7), "<image> has the id 600"),
    ("llava-hf-f32", .init("output_last_id", 611), "the tokens 603 to 611 are 9"),
    ("llava-hf-f32", .init("output_first_id", 630), "do not fit 640 rows of logits"),
    ("llava-original-f16", .init("image_aspect_ratio", "anyres"), "expected pad or square"),
    ("llava-original-f16", .init("mm_patch_merge_type", "spatial_unpad"), "expected flat"),
    ("llava-original-f16", .init("mm_projector_type", "ldpnet"), "expected linear or mlp2x_gelu"),
    ("llava-original-f16", .init("mm_use_im_start_end", true), "expected false"),
    ("llava-original-f16", .init("mm_hidden_size", 47), "is 48 wide"),
    ("llava-original-f16", .init("mm_vision_tower", "openai/none"), "huggingface-cli download"),
    ("qwen2vl-f32", .init("rope_scaling", ["type": "mrope"]), "has no mrope_section"),
    (
      "qwen2vl-f32", .init("rope_scaling", ["type": "mrope", "mrope_section": [2, 3, 4]]),
      "does not add up"
    ),
    (
      "qwen2vl-f32", .init("rope_scaling", ["type": "yarn", "mrope_section": [2, 3, 3]]),
      "rope_type yarn is not supported"
    ),
    ("qwen2vl-f32", .init("use_sliding_window", true), "sliding_window 32768"),
    ("qwen2vl-f32", .init("image_token_id", 3), "<|image_pad|> has the id 652"),
    ("qwen2vl-f32", .init("quantization_config", ["bits": 4]), "quantization_config"),
    ("qwen2vl-f32", .init("rope_local_base_freq", 1e4), "rope_local_base_freq"),
    (
      "qwen2vl-f32",
      .init("rope_scaling", ["type": "mrope", "mrope_section": [.int(.max), 1, 0]]),
      "expected 3 numbers"
    ),
    (
      "qwen2vl-f32",
      .init("rope_scaling", ["type": "linear", "factor": 2, "mrope_section": [2, 3, 3]]),
      "beside mrope_section"
    ),
    ("qwen2vl-f32", .init("vision_config", ["mlp_ratio": 1e30]), "expected a number up to 64"),
    ("qwen2vl-f32", .init("vision_config", ["patch_size": 131_072]), "from 1 to 256"),
    ("qwen2vl-f32", .init("vision_config", ["num_heads": 7]), "whole"),
    ("qwen2vl-f32", .init("vision_config", ["in_channels": 4]), "expected 3"),
    ("qwen2vl-f32", .init("text_config", ["tie_word_embeddings": true]), "in text_config"),
    (
      "llava-original-f16", .init("mm_vision_select_layer", .int(.min)), "expected a whole number"
    ),
    ("llava-hf-f32", .init("model_type", "llava_next"), "cut pictures into tiles"),
    ("qwen2vl-f32", .init("model_type", "qwen2_5_vl"), "attends within windows"),
    ("qwen2vl-f32", .init("model_type", "qwen3_vl"), "it has another tower"),
  ])
  func refusesWhatIsNotComputedHere(
    _ name: String, _ change: JSON.Member, _ reason: String
  ) throws {
    let path = try copy(name, config: Self.set(change))
    let message = refusal(path)
    #expect(message.contains(reason), "\(message)")
  }

  /// preprocessor_config.json and generation_config.json with other members.
  private func copy(_ name: String, _ file: String, _ change: JSON.Member...) throws -> String {
    let path = try copy(name, as: UUID().uuidString)
    let members = try Checkpoint(folder: path).json(file).members ?? []
    let kept = members.filter { member in !change.contains { $0.name == member.name } }
    try JSON.object(kept + change).pretty.write(
      toFile: "\(path)/\(file)", atomically: true, encoding: .utf8)
    return path
  }

  @Test func refusesPicturesThatArePreparedOtherwise() throws {
    let file = "preprocessor_config.json"
    for (name, change, reason) in [
      ("qwen2vl-f32", .init("min_pixels", .int(1 << 39)), "expected the smaller number first"),
      ("qwen2vl-f32", .init("temporal_patch_size", 1), "config.json says 2"),
      ("qwen2vl-f32", .init("do_resize", false), "do_resize false"),
      ("llava-hf-f32", .init("image_processor_type", "SiglipImageProcessor"), "expected CLIP"),
    ] as [(String, JSON.Member, String)] {
      let message = refusal(try copy(name, file, change))
      #expect(message.contains(reason), "\(message)")
    }
    // Limits by the names of newer files.
    let path = try copy("qwen2vl-f32", file, .init("min_pixels", .null), .init("max_pixels", .null))
    let newer = try copy(
      "qwen2vl-f32", file, .init("min_pixels", .null), .init("max_pixels", .null),
      .init("size", ["shortest_edge": 3136, "longest_edge": 12_544]))
    #expect(try answer(newer) == answer(Fixture.backbone("qwen2vl-f32")))
    #expect(try answer(path) != answer(newer))
    // LLaVA's own processor may pad, as the original code does.
    let padded = try copy("llava-hf-f32", file, .init("do_pad", true))
    let loader = try ModelLoader(folder: padded, compute: compute)
    #expect(try loader.preprocessing().shape == .pad)
  }

  /// What ends answers is one id or several, and always what they are taught to end with.
  @Test func endsAnswers() throws {
    let file = "generation_config.json"
    let far = refusal(try copy("qwen2vl-f32", file, .init("eos_token_id", [642, 768])))
    #expect(far.contains("eos_token_id 768 is beyond the 768 tokens"))
    let odd = refusal(try copy("qwen2vl-f32", file, .init("eos_token_id", "x")))
    #expect(odd.contains("expected an id or a list of ids"))
    let other = try copy("qwen2vl-f32", file, .init("eos_token_id", 640))
    #expect(try ModelLoader(folder: other, compute: compute).endIDs == [642, 640])
    #expect(try answer(other) == answer(Fixture.backbone("qwen2vl-f32")))
    let problems = try Inspection(
      folder: try copy("llava-hf-f32", file, .init("eos_token_id", 9_999)), compute: compute)
    #expect(problems.problems.contains { $0.contains("eos_token_id 9999") })
  }

  /// Longer and thinner, or larger than the model's positions: a picture's failure, not the run's.
  @Test func refusesPicturesThatDoNotFit() throws {
    let small = try copy(
      "qwen2vl-f32", as: "small", config: Self.set(.init("max_position_embeddings", 46)))
    let engine = try Engine(folder: small)
    var codes: [String?] = []
    let pictures = ["rgb_64x64.png", "thin_1x97.png"]
    try engine.score(paths: pictures.map { Fixture.path("images/\($0)") }) { _, outcome in
      codes.append(outcome.failure?.code)
      return true
    }
    #expect(codes == [nil, "too_large"])
  }

  /// Rows of patches in the order of the network, under three limits, to the last bit.
  @Test func cutsPicturesAsTheReferenceDoes() throws {
    let parts = try Engine(folder: Fixture.backbone("qwen2vl-f32")).parts
    let golden = try Fixture.json(Fixture.backbone("preprocess.json"))
    var compared = 0
    for item in try #require(golden["cases"]?.array) where item["family"] == "qwen2_vl" {
      let limits = PixelLimits(
        factor: 28, least: try #require(item["min_pixels"]?.int),
        most: try #require(item["max_pixels"]?.int))
      let path = Fixture.path("images/\(try #require(item["image"]?.string))")
      let pixels = try Preprocessing(size: 0, shape: .fit(limits))(
        try Picture.read(path), path: path)
      let trace = Trace()
      _ = parts.vision.encode([pixels], trace: trace)
      let rows = try #require(trace.values["pixel_values"])
      let grid = try #require(item["grid"]?.array).compactMap(\.int)
      #expect(rows.count == grid[1] * grid[2] * 1176)
      let digest = rows.withUnsafeBytes { SHA256.of($0) }
      #expect(digest == item["rows_sha256"]?.string, "\(item.line)")
      compared += 1
    }
    #expect(compared == 93)
  }

  // MARK: Adapters

  /// peft saves with the names that models have in memory, which files do not have.
  @Test(arguments: ["llava-hf-f32", "qwen2vl-f32"])
  func readsAdaptersWithTheNamesOfMemory(_ name: String) throws {
    let layer = name == "llava-hf-f32" ? "language_model.model." : "model."
    let module = "layers.1.self_attn.q_proj"
    func adapter(_ prefix: String) throws -> String {
      let path = "\(folder.path)/\(prefix.utf8.count)"
      func noise(_ seed: UInt64, _ rows: Int, _ columns: Int, _ end: String) -> TensorPlan {
        let values = Noise(seed: seed, name: end, deviation: 0.3)
          .values(from: 0, count: rows * columns, compute)
        return TensorPlan(
          name: "base_model.model.\(prefix)\(module).\(end).weight", dtype: .f32,
          shape: [rows, columns], values: values)
      }
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try SafetensorsWriter.write(
        [noise(1, 4, 64, "lora_A"), noise(2, 64, 4, "lora_B")],
        to: "\(path)/adapter_model.safetensors")
      let settings: JSON = [
        "peft_type": "LORA", "r": 4, "lora_alpha": 8,
        "base_model_name_or_path": .string(Fixture.backbone(name)), "target_modules": ["q_proj"],
      ]
      try settings.pretty.write(
        toFile: "\(path)/adapter_config.json", atomically: true, encoding: .utf8)
      return path
    }
    let file = try answer(adapter(layer))
    #expect(file != (try answer(Fixture.backbone(name))))
    #expect(try answer(adapter("model.language_model.")) == file)
  }

  // MARK: The vision tower of original LLaVA

  /// The tower's weights in a file of their own, where the checkpoint has them inside.
  private func splitTower(into tower: String) throws -> String {
    let inside = "model.vision_tower.vision_tower."
    let source = try Checkpoint(folder: Fixture.backbone("llava-original-f16"))
    let path = try copy(
      "llava-original-f16", as: "split", rename: { $0.hasPrefix(inside) ? nil : $0 },
      config: Self.set(
        .init("unfreeze_mm_vision_tower", false), .init("mm_vision_tower", .string(tower))))
    try FileManager.default.removeItem(atPath: "\(path)/clip")
    let plans = try source.names.filter { $0.hasPrefix(inside) }.map {
      TensorPlan(
        copying: try #require(source[$0]).renamed(String($0.dropFirst(inside.count))))
    }
    let clip = "\(Fixture.backbone("llava-original-f16"))/clip"
    try CheckpointWriter(folder: "\(folder.path)/tower").write(
      CheckpointContents(
        weights: plans, texts: [:],
        copies: [
          "config.json": "\(clip)/config.json",
          "preprocessor_config.json": "\(clip)/preprocessor_config.json",
        ]))
    return path
  }

  /// In the checkpoint's folder, beside it, or anywhere by its path.
  @Test(arguments: ["towers/clip", "openai/clip-made-up", "absolute"])
  func findsTheTower(_ place: String) throws {
    let expected = try answer(Fixture.backbone("llava-original-f16"))
    let path = try splitTower(into: place == "absolute" ? "\(folder.path)/tower" : place)
    let tower = "\(folder.path)/tower"
    if place == "towers/clip" {
      try FileManager.default.createDirectory(
        atPath: "\(path)/towers", withIntermediateDirectories: true)
      try FileManager.default.moveItem(atPath: tower, toPath: "\(path)/towers/clip")
    } else if place != "absolute" {
      try FileManager.default.moveItem(atPath: tower, toPath: "\(folder.path)/clip-made-up")
    }
    #expect(try answer(path) == expected)
    // Every file counts: another tower is another model.
    let checkpoint = try ModelLoader(folder: path, compute: compute).checkpoint
    let names = try checkpoint.digests().map(\.name)
    #expect(names.contains("vision_tower/model.safetensors"))
    #expect(names.contains("vision_tower/preprocessor_config.json"))
    // What is converted needs the tower's folder no more.
    let whole = "\(folder.path)/whole"
    try Conversion(source: path, target: .plain(.f32), compute: compute).write(to: whole)
    #expect(try answer(whole) == expected)
  }

  /// A copy inside counts only where the tower was trained, as in LLaVA's own code.
  @Test func aFrozenTowerIsTheSeparateOne() throws {
    let path = try copy(
      "llava-original-f16", config: Self.set(.init("unfreeze_mm_vision_tower", false)))
    let loader = try ModelLoader(folder: path, compute: compute)
    #expect(
      loader.checkpoint.notes.contains { $0.contains("unfreeze_mm_vision_tower is not true") })
    #expect(try answer(path) != answer(Fixture.backbone("llava-original-f16")))
  }

  @Test func saysWhereATowerIsExpected() throws {
    let path = try copy("llava-original-f16", config: Self.set(.init("mm_vision_tower", "absent")))
    #expect(refusal(path).contains("expected \(path)/absent with config.json"))
  }

  // MARK: Score tokens

  /// Without their ids the tokens are found by name; without a scale they mean nothing.
  @Test(arguments: Fixture.backbones)
  func findsScoreTokensByName(_ name: String) throws {
    let ids = ["score_id", "output_first_id", "output_last_id"]
    let path = try copy(name, config: { $0.filter { !ids.contains($0.name) } })
    let found = try ModelLoader(folder: path, compute: compute).readout
    let expected = try ModelLoader(folder: Fixture.backbone(name), compute: compute).readout
    #expect(found?.ids == expected?.ids && found?.scoreID == expected?.scoreID)
    let scale = ids + ["min_score"]
    let bare = try copy(name, as: "bare", config: { $0.filter { !scale.contains($0.name) } })
    #expect(refusal(bare).contains("min_score is missing"))
    // With nothing at all said of them they would be scored by levels, on another scale.
    let all = scale + ["max_score", "img_token_num", "num_tokens"]
    let silent = try copy(
      name, as: "silent", config: { $0.filter { !all.contains($0.name) } })
    #expect(refusal(silent).contains("the tokenizer has [SCORE], but min_score and max_score"))
  }

  /// New tokens follow the last one: in rows to spare, or in rows that are added.
  @Test(arguments: Fixture.backbones)
  func addsScoreTokens(_ name: String) throws {
    let keys = [
      "score_id", "output_first_id", "output_last_id", "img_token_num", "num_tokens", "min_score",
      "max_score",
    ]
    let source = try Checkpoint(folder: Fixture.backbone(name))
    let loader = try ModelLoader(folder: Fixture.backbone(name), compute: compute)
    let first = try #require(loader.readout).scoreID
    let plain = try plainCopy(name, source, without: keys, tokens: first, loader.names)
    let base = try ModelLoader(folder: plain, compute: compute)
    #expect(base.readout == nil && base.tokenizer.largestID == first - 1)
    let out = "\(folder.path)/out"
    try ScoreTokens.add(
      to: plain, folder: out, axis: ScoreAxis(low: 1, high: 10, count: 10), compute: compute)
    let made = try ModelLoader(folder: out, compute: compute)
    #expect(made.readout?.scoreID == first && made.readout?.ids == first + 1..<first + 11)
    #expect(made.tokenizer.id(of: "[IMG9]") == first + 10)
    #expect(made.sizes.vocabulary == max(base.sizes.vocabulary, first + 11))
    // The same tokens in the same text, wherever they stand.
    for text in ["is [SCORE]. ", "x[SCORE]y", "[SCORE]"] {
      #expect(made.tokenizer.encode(text) == loader.tokenizer.encode(text))
    }
    for table in [made.names.embeddings, made.names.head] {
      let (old, new) = (
        try #require(base.checkpoint[table]), try #require(made.checkpoint[table])
      )
      let width = old.shape[1]
      let values = old.widened
      let mean = (0..<width).map { column in
        (0..<first).reduce(0.0) { $0 + Double(values[$1 * width + column]) } / Double(first)
      }
      let found = new.widened
      #expect(Array(found.prefix(first * width)) == Array(values.prefix(first * width)))
      for row in first..<first + 11 {
        for column in 0..<width {
          #expect(abs(Double(found[row * width + column]) - mean[column]) <= 1e-3)
        }
      }
    }
    let twice = #expect(throws: ModelError.self) {
      try ScoreTokens.add(
        to: out, folder: "\(folder.path)/twice",
        axis: ScoreAxis(low: 1, high: 10, count: 10), compute: compute)
    }
    #expect(twice?.description.contains("has score tokens already") == true)
  }

  /// A checkpoint as before anybody added score tokens.
  private func plainCopy(
    _ name: String, _ source: Checkpoint, without keys: [String], tokens: Int,
    _ names: TensorNames
  ) throws -> String {
    func isScore(_ text: String?) -> Bool {
      text == "[SCORE]" || text?.hasPrefix("[IMG") == true
    }
    // Original LLaVA has a row for each token, the others have rows to spare.
    let rows = name == "llava-original-f16" ? tokens : nil
    let plans = try source.names.map { name in
      let tensor = try #require(source[name])
      guard let rows, name == names.embeddings || name == names.head else {
        return TensorPlan(copying: tensor)
      }
      return TensorPlan(
        name: name, dtype: .f32, shape: [rows, tensor.shape[1]],
        values: Array(tensor.widened.prefix(rows * tensor.shape[1])))
    }
    var config = (try source.json("config.json").members ?? []).filter { !keys.contains($0.name) }
    if let rows {
      config = config.map { $0.name == "vocab_size" ? .init("vocab_size", .int(rows)) : $0 }
    }
    var texts = ["config.json": Array(JSON.object(config).pretty.utf8)]
    for file in ["added_tokens.json", "tokenizer.json", "tokenizer_config.json"] {
      guard let json = try? source.json(file) else { continue }
      let members = (json.members ?? []).filter { !isScore($0.name) }.map { member in
        switch member.name {
        case "added_tokens":
          JSON.Member(
            member.name,
            .array((member.value.array ?? []).filter { !isScore($0["content"]?.string) }))
        case "added_tokens_decoder":
          JSON.Member(
            member.name,
            .object(
              (member.value.members ?? []).filter { !isScore($0.value["content"]?.string) }))
        default: member
        }
      }
      texts[file] = Array(JSON.object(members).pretty.utf8)
    }
    let path = "\(folder.path)/plain"
    try CheckpointWriter(folder: path).write(
      CheckpointContents(weights: plans, texts: texts, copies: source.otherFiles))
    if name == "llava-original-f16" {
      try FileManager.default.copyItem(
        atPath: "\(Fixture.backbone(name))/clip", toPath: "\(path)/clip")
    }
    return path
  }

  // MARK: Other formats

  /// Converted checkpoints are whole: the same answers, from their own folder alone.
  @Test(arguments: Fixture.backbones)
  func convertsWithoutChangingABit(_ name: String) throws {
    let source = Fixture.backbone(name)
    let plain = "\(folder.path)/plain"
    try Conversion(source: source, target: .plain(.f32), compute: compute).write(to: plain)
    #expect(try answer(plain) == answer(source))
    #expect(try Inspection(folder: plain, compute: compute).problems.isEmpty)
    for precision in Precision.allCases {
      let packed = "\(folder.path)/\(precision.rawValue)"
      try Conversion(source: plain, target: .packed(precision), compute: compute)
        .write(to: packed)
      let picture = Fixture.path("images/rgb_64x64.png")
      let answers = try [(packed, nil), (source, precision)].map { path, precision in
        let engine = try Engine(
          ModelLoader(folder: path, compute: compute, precision: precision), compute: compute)
        return try engine.answer(
          try engine.parts.preprocessing(try Picture.read(picture), path: picture))
      }
      #expect(answers[0] == answers[1], "\(precision)")
    }
  }
}
