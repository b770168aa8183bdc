import RocCheckpoint
import RocImage
import RocJSON
import RocTensor
import RocTokenizer

/// LLaVA-1.5 in the layout of its own code, https://github.com/haotian-liu/LLaVA: LLaMA's keys at the
/// top level, and a vision tower that may lie elsewhere.
struct OriginalLLaVA: Backbone {
  static let name = LLaVA.name
  static let modelTypes = ["llava", "llava_llama"]
  static let furtherFiles = ["generation_config.json"]

  static func isDescribed(by config: ConfigReader) -> Bool {
    modelTypes.contains(config.json["model_type"]?.string ?? "")
      && config.json["text_config"]?.members == nil
  }

  static func names(in checkpoint: Checkpoint) -> TensorNames { tensorNames }

  private static let projector = "model.mm_projector"

  private static let tensorNames = TensorNames(
    embeddings: "model.embed_tokens.weight", head: "lm_head.weight", connector: "projector",
    part: { name in
      if name.hasPrefix("model.vision_tower.") { return .vision }
      if name.hasPrefix("\(projector).") { return .connector }
      if name.hasPrefix("lm_head.") { return .head }
      return name.hasPrefix("model.layers.") ? .language(isForPictures: false) : .other
    }, decays: LLaVAParts.decays)

  static func completed(
    _ checkpoint: Checkpoint, _ config: ConfigReader
  ) throws(ModelError) -> Checkpoint {
    // First: LLaVA-1.6 is reported as such, wherever its tower is.
    try checkComputation(config)
    return try LLaVATower(checkpoint, config).completed(checkpoint)
  }

  let parts: LLaVAParts
  let readout: ScoreReadout?
  let template: any PromptTemplate = VicunaPrompt(
    mark: "<image>", countsLaterRoundsShorter: true)
  var names: TensorNames { Self.tensorNames }
  private let tower: LLaVATower
  private let shape: Preprocessing.Shape

  init(_ source: BackboneSource) throws(ModelError) {
    let config = source.config
    tower = try LLaVATower(source.checkpoint, config)
    shape = config.json["image_aspect_ratio"]?.string == "pad" ? .pad : .crop
    var language = try LlamaSettings(
      config,
      names: .init(
        embeddings: Self.tensorNames.embeddings, layers: "model.layers",
        norm: "model.norm.weight", head: "lm_head"),
      family: .llama, vocabulary: source.vocabulary)
    language.isTied = source.isTied
    let vision = try HuggingFaceCLIP(
      tower.config, prefix: LLaVATower.prefix,
      layer: try config.integer("mm_vision_select_layer", default: -2),
      select: config.json["mm_vision_select_feature"]?.string ?? "patch")
    if let stated = config.json["mm_hidden_size"]?.int, stated != vision.settings.width {
      throw .checkpoint(
        """
        \(config.place): mm_hidden_size is \(stated), and the vision tower of \(tower.folder) is \
        \(vision.settings.width) wide
        """)
    }
    parts = LLaVAParts(
      tower: vision,
      projector: ProjectorSettings(
        layers: try Self.projectorLayers(config), dropsFirst: !vision.keepsClass,
        inputs: vision.settings.width, hidden: language.width, outputs: language.width),
      language: language)
    readout = try ScoreReadout(byID: source, vocabulary: language.vocabulary, prefersFast: false)
  }

  /// The projector's products: `linear`, or `mlp2x_gelu` and the like.
  private static func projectorLayers(_ config: ConfigReader) throws(ModelError) -> [String] {
    let kind = config.json["mm_projector_type"]?.string ?? "linear"
    if kind == "linear" { return [projector] }
    guard let match = kind.wholeMatch(of: /mlp([1-9])x_gelu/), let count = Int(match.1) else {
      throw .checkpoint(
        """
        \(config.place): mm_projector_type \(kind) is not supported, expected linear or mlp2x_gelu
        """)
    }
    // Activations stand at the odd places.
    return (0..<count).map { "\(projector).\(2 * $0)" }
  }

  /// Refuses keys of later versions that ask for another network.
  private static func checkComputation(_ config: ConfigReader) throws(ModelError) {
    let json = config.json
    func refuse(_ key: String, _ expected: String) -> ModelError {
      .checkpoint(
        "\(config.place): \(key) \(json[key]?.line.prefix(60) ?? "") is not supported, \(expected)")
    }
    if let shape = json["image_aspect_ratio"], !shape.isNull,
      !["pad", "square"].contains(shape.string ?? "")
    {
      throw refuse(
        "image_aspect_ratio", "expected pad or square: LLaVA-1.6 cuts pictures into tiles")
    }
    if let merge = json["mm_patch_merge_type"], !merge.isNull, merge.string != "flat" {
      throw refuse("mm_patch_merge_type", "expected flat, as in LLaVA-1.5")
    }
    for key in ["mm_use_im_start_end", "s2"] where json[key]?.bool == true {
      throw refuse(key, "expected false")
    }
    if let resampler = json["mm_resampler_type"], !resampler.isNull {
      throw refuse("mm_resampler_type", "expected null")
    }
  }

  var sizes: BackboneSizes { parts.sizes }
  var facts: [(name: String, value: String)] {
    parts.facts + [("vision tower", tower.summary)]
  }

  /// The tower is inside from then on, its settings in a folder within.
  var changesOfWholeFolder: [(name: String, value: JSON)] {
    [
      ("mm_vision_tower", .string(LLaVATower.folderInside)),
      ("unfreeze_mm_vision_tower", .bool(true)),
    ]
  }

  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks {
    parts.networks(reader, compute)
  }

  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing {
    var result = try CLIPPreprocessing.read(
      try tower.preprocessor(), edge: parts.tower.settings.edge)
    result.shape = shape
    return result
  }
}
