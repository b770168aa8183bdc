import RocCheckpoint
import RocImage
import RocScore
import RocTensor
import RocTokenizer

/// mPLUG-Owl2 with ROC's score tokens: a CLIP tower, a visual abstractor, and a LLaMA decoder whose
/// keys, values and norms exist twice.
struct Owl2: Backbone {
  static let name = "mPLUG-Owl2"
  static let modelTypes = ["mplug_owl2"]
  /// The official code pins transformers 4.31.
  static let statesTokens = false

  /// A third of a million values, for tests; 5 million; ROC4MLLM's 8.2 billion.
  static let presets = [
    ModelPreset("tiny", recipe: Owl2Recipe.tiny.recipe),
    ModelPreset("small", recipe: Owl2Recipe.small.recipe),
    ModelPreset("full", recipe: Owl2Recipe.full.recipe),
  ]

  /// The official class has it, but no network reads it.
  static let scoreTensors = [(name: "learned_weight", values: [0 as Float])]

  static func names(in checkpoint: Checkpoint) -> TensorNames { names }

  static let names = TensorNames(
    embeddings: "model.embed_tokens.weight", head: "lm_head.weight", connector: "abstractor",
    part: { name in
      if name.hasPrefix("model.vision_model.") { return .vision }
      if name.hasPrefix("model.visual_abstractor.") { return .connector }
      if name.hasPrefix("lm_head.") { return .head }
      guard name.hasPrefix("model.layers.") else { return .other }
      return .language(isForPictures: name.contains("multiway.1"))
    },
    decays: { name in
      // LLaMA's RMS norms, the embeddings and the lone parameters of vision encoder and abstractor
      // are not `nn.LayerNorm` and do decay (transformers 4.31, `get_parameter_names`).
      if name.hasSuffix("bias") { return false }
      if name.hasPrefix("model.layers.") || name == "model.norm.weight" { return true }
      let parts = name.split(separator: ".")
      guard parts.last == "weight", let owner = parts.dropLast().last else { return true }
      return !(owner.contains("norm") || owner == "ffn_ln")
    })

  let language: LlamaSettings
  let vision: CLIPSettings
  let abstractor: AbstractorConfig
  /// Nil for a checkpoint without score tokens, like mPLUG-Owl2's own, Q-Align's and DeQA's.
  let readout: ScoreReadout?
  let template: any PromptTemplate = Owl2Prompt()
  var names: TensorNames { Self.names }
  let readsLastRows = true

  init(_ source: BackboneSource) throws(ModelError) {
    let config = source.config
    var language = try LlamaSettings(
      config.merged("text_config"),
      names: .init(
        embeddings: Self.names.embeddings, layers: "model.layers", norm: "model.norm.weight",
        head: "lm_head"),
      multiway: .init(text: { "\($0).multiway.0" }, picture: { "\($0).multiway.1" }),
      vocabulary: source.vocabulary)
    language.isTied = source.isTied
    self.language = language
    let visual = try config.object("visual_config")
    vision = try CLIPSettings(try visual.object("visual_model"), names: Self.towerNames)
    abstractor = try AbstractorConfig(try visual.object("visual_abstractor"))
    guard vision.width == abstractor.width else {
      throw .checkpoint(
        """
        \(config.place): the vision encoder is \(vision.width) wide and the abstractor \
        \(abstractor.width); they must be equal
        """)
    }
    guard abstractor.grid * abstractor.grid + 1 == vision.tokens else {
      throw .checkpoint(
        """
        \(config.place): a grid of \(abstractor.grid) x \(abstractor.grid) for \
        \(vision.tokens - 1) patches
        """)
    }
    readout = try ScoreReadout(config, vocabulary: language.vocabulary)
  }

  private static let towerNames = CLIPSettings.Names(
    patches: "model.vision_model.embeddings.patch_embed",
    classToken: "model.vision_model.embeddings.cls_token",
    positions: "model.vision_model.embeddings.position_embedding",
    preNorm: "model.vision_model.embeddings.pre_layernorm",
    postNorm: "model.vision_model.post_layernorm", layers: "model.vision_model.encoder.layers",
    layer: .init(
      attentionNorm: "input_layernorm", queryKeyValue: .byHead("self_attn.query_key_value"),
      output: "self_attn.dense", mlpNorm: "post_attention_layernorm", expand: "mlp.fc1",
      reduce: "mlp.fc2"))

  var sizes: BackboneSizes {
    BackboneSizes(
      vocabulary: language.vocabulary, maxPositions: language.maxPositions,
      pictureRows: abstractor.rows, isTied: language.isTied,
      branchEnds: [
        ("self_attn.o_proj.weight", language.layers), ("mlp.down_proj.weight", language.layers),
        ("self_attn.dense.weight", vision.layers), ("mlp.fc2.weight", vision.layers),
        ("output.out_proj.weight", abstractor.layers), ("output.mlp.w2.weight", abstractor.layers),
      ])
  }

  var facts: [(name: String, value: String)] {
    [
      ("language", language.summary), ("vision", vision.summary),
      (
        "abstractor",
        "\(abstractor.layers) layers, \(abstractor.queries) queries, \(abstractor.heads) heads"
      ),
    ]
  }

  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks {
    reader.ignore("learned_weight")
    return Networks(
      vision: CLIPTower(reader, vision, compute),
      connector: VisualAbstractor(
        reader, config: abstractor, languageWidth: language.width, compute: compute),
      language: LlamaDecoder(reader, language, compute))
  }

  /// The official code stops at the tokenizer's own end, whatever generation_config.json says.
  func endIDs(
    _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int] {
    guard let end = tokenizer.endID else { throw EndTokens.missing(checkpoint) }
    return [end]
  }

  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing {
    try CLIPPreprocessing.read(
      try checkpoint.config("preprocessor_config.json"), edge: vision.edge)
  }
}
