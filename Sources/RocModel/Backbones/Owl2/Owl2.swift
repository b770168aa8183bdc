import RocCheckpoint
package import RocImage
import RocScore
package import RocTensor
package import RocTokenizer

/// mPLUG-Owl2 with ROC's score tokens: a CLIP tower, a visual abstractor, and a LLaMA decoder whose
/// keys, values and norms exist twice.
struct Owl2: Backbone {
  static let name = "mPLUG-Owl2"
  static let modelTypes = ["mplug_owl2"]

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
      // are no `nn.LayerNorm` and do decay (transformers 4.31, `get_parameter_names`).
      if name.hasSuffix("bias") { return false }
      if name.hasPrefix("model.layers.") || name == "model.norm.weight" { return true }
      let parts = name.split(separator: ".")
      guard parts.last == "weight", let owner = parts.dropLast().last else { return true }
      return !(owner.contains("norm") || owner == "ffn_ln")
    })

  let language: LlamaSettings
  let vision: CLIPSettings
  let abstractor: AbstractorConfig
  /// Nil for a checkpoint without score tokens, as mPLUG-Owl2's own, Q-Align's and DeQA's.
  let readout: ScoreReadout?
  let template: any PromptTemplate = Owl2Prompt()
  var names: TensorNames { Self.names }

  init(_ source: BackboneSource) throws(ModelError) {
    let config = source.config
    language = try LlamaSettings(
      config,
      names: .init(
        embeddings: Self.names.embeddings, layers: "model.layers", norm: "model.norm.weight",
        head: "lm_head"),
      multiway: .init(text: { "\($0).multiway.0" }, picture: { "\($0).multiway.1" }),
      vocabulary: source.vocabulary)
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
      pictureRows: abstractor.rows, isTied: language.isTied)
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

  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing {
    try CLIPPreprocessing.read(
      try checkpoint.config("preprocessor_config.json"), edge: vision.edge)
  }
}
