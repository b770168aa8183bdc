import RocCheckpoint
import RocImage
import RocJSON
import RocTensor
import RocTokenizer

/// LLaVA-1.5 in the layout of Hugging Face's `llava-hf`, whose names transformers has spelled in two
/// ways.
struct LLaVA: Backbone {
  static let name = "LLaVA-1.5"
  static let modelTypes = ["llava"]
  static let furtherFiles = Checkpoint.fastTokenizer + ["generation_config.json"]

  /// A quarter of a million values, for tests; the released model's 7.1 billion.
  static let presets = [
    ModelPreset("llava-1.5-tiny", recipe: LLaVARecipe.tiny.recipe),
    ModelPreset("llava-1.5-7b", recipe: LLaVARecipe.full.recipe),
  ]

  static func isDescribed(by config: ConfigReader) -> Bool {
    config.json["model_type"]?.string == "llava" && config.json["text_config"]?.members != nil
  }

  static func names(in checkpoint: Checkpoint) -> TensorNames { Spelling(checkpoint).names }

  /// How a file spells the names.
  private struct Spelling {
    let language: String
    let head: String
    let projector: String
    let tower: String

    init(_ checkpoint: Checkpoint) {
      // transformers from 4.52 on names them so in memory, and some of its users in files.
      if checkpoint["model.language_model.embed_tokens.weight"] != nil {
        language = "model.language_model."
        head = "lm_head"
        projector = "model.multi_modal_projector."
        tower = "model.vision_tower.vision_model."
      } else {
        language = "language_model.model."
        head = "language_model.lm_head"
        projector = "multi_modal_projector."
        tower = "vision_tower.vision_model."
      }
    }

    var names: TensorNames {
      let (language, head, projector, tower) = (language, head, projector, tower)
      return TensorNames(
        embeddings: "\(language)embed_tokens.weight", head: "\(head).weight",
        connector: "projector",
        part: { name in
          if name.hasPrefix(tower) { return .vision }
          if name.hasPrefix(projector) { return .connector }
          if name.hasPrefix("\(head).") { return .head }
          return name.hasPrefix("\(language)layers.") ? .language(isForPictures: false) : .other
        }, decays: LLaVAParts.decays)
    }
  }

  let parts: LLaVAParts
  let names: TensorNames
  let readout: ScoreReadout?
  let template: any PromptTemplate
  private let imageID: Int
  private let place: String

  init(_ source: BackboneSource) throws(ModelError) {
    let config = source.config
    let spelling = Spelling(source.checkpoint)
    names = spelling.names
    let text = config.merged("text_config")
    let own = try config.object("text_config")
    try LLaVAParts.checkDecoder(own)
    var language = try LlamaSettings(
      text,
      names: .init(
        embeddings: names.embeddings, layers: "\(spelling.language)layers",
        norm: "\(spelling.language)norm.weight", head: spelling.head),
      family: .llama, vocabulary: source.vocabulary)
    language.isTied = source.isTied
    let tower = try HuggingFaceCLIP(
      try config.object("vision_config"), prefix: spelling.tower,
      layer: try Self.featureLayer(config),
      select: config.json["vision_feature_select_strategy"]?.string ?? "default")
    guard
      let activation = Activation(
        rawValue: config.json["projector_hidden_act"]?.string ?? "gelu")
    else {
      throw .checkpoint(
        "\(config.place): projector_hidden_act \(config.json["projector_hidden_act"]?.line ?? "") is not supported, expected gelu"
      )
    }
    guard config.json["multimodal_projector_bias"]?.bool != false else {
      throw .checkpoint("\(config.place): multimodal_projector_bias false is not supported")
    }
    parts = LLaVAParts(
      tower: tower,
      projector: ProjectorSettings(
        layers: ["\(spelling.projector)linear_1", "\(spelling.projector)linear_2"],
        dropsFirst: !tower.keepsClass, inputs: tower.settings.width, hidden: language.width,
        outputs: language.width, activation: activation),
      language: language)
    readout = try ScoreReadout(byID: source, vocabulary: language.vocabulary, prefersFast: true)
    // transformers 5 has renamed the key.
    imageID =
      config.json["image_token_index"]?.int ?? config.json["image_token_id"]?.int ?? 32_000
    template = LLaVAPrompt(imageID: imageID)
    place = config.place
  }

  /// `vision_feature_layer`, a number or a list of one.
  private static func featureLayer(_ config: ConfigReader) throws(ModelError) -> Int {
    guard let value = config.json["vision_feature_layer"], !value.isNull else { return -2 }
    let list = value.array?.compactMap(\.int) ?? value.int.map { [$0] } ?? []
    guard list.count == 1, value.array?.count ?? 1 == 1 else {
      throw .checkpoint(
        """
        \(config.place): vision_feature_layer is \(value.line.prefix(60)), expected one layer: \
        features of several are not joined here
        """)
    }
    return list[0]
  }

  var sizes: BackboneSizes { parts.sizes }
  var facts: [(name: String, value: String)] { parts.facts }

  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks {
    parts.networks(reader, compute)
  }

  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing {
    let config = try checkpoint.config("preprocessor_config.json")
    var result = try CLIPPreprocessing.read(config, edge: parts.tower.settings.edge)
    // CLIP's processor keeps only the middle; LLaVA's own, from transformers 4.50 on, may pad as
    // the original code does.
    result.shape = config.json["do_pad"]?.bool == true ? .pad : .crop
    return result
  }

  func endIDs(
    _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int] {
    try PictureToken.check("<image>", is: imageID, in: tokenizer, place)
    return try EndTokens.read(checkpoint, tokenizer)
  }
}
