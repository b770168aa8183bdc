import RocCheckpoint
import RocImage
import RocJSON
import RocTensor
import RocTokenizer

/// Qwen2-VL (https://arxiv.org/abs/2409.12191): a vision tower for pictures of any size, a merger, and
/// a Qwen2 decoder in which rows of pictures have positions on three axes.
struct Qwen2VL: Backbone {
  static let name = "Qwen2-VL"
  static let modelTypes = ["qwen2_vl"]
  static let furtherFiles = Checkpoint.fastTokenizer + ["generation_config.json"]

  /// A third of a million values, for tests; the released models' 2.2 and 8.3 billion.
  static let presets = [
    ModelPreset("qwen2-vl-tiny", recipe: Qwen2VLRecipe.tiny.recipe),
    ModelPreset("qwen2-vl-tiny-tied", recipe: Qwen2VLRecipe.tinyTied.recipe),
    ModelPreset("qwen2-vl-2b", recipe: Qwen2VLRecipe.twoB.recipe),
    ModelPreset("qwen2-vl-7b", recipe: Qwen2VLRecipe.sevenB.recipe),
  ]

  static func names(in checkpoint: Checkpoint) -> TensorNames { Spelling(checkpoint).names }

  /// How a file spells the names.
  private struct Spelling {
    let language: String
    let tower: String

    init(_ checkpoint: Checkpoint) {
      // transformers from 4.52 on names them so in memory, and some of its users in files.
      let isNew = checkpoint["model.language_model.embed_tokens.weight"] != nil
      language = isNew ? "model.language_model." : "model."
      tower = isNew ? "model.visual." : "visual."
    }

    var names: TensorNames {
      let (language, tower) = (language, tower)
      return TensorNames(
        embeddings: "\(language)embed_tokens.weight", head: "lm_head.weight", connector: "merger",
        part: { name in
          if name.hasPrefix("\(tower)merger.") { return .connector }
          if name.hasPrefix(tower) { return .vision }
          if name.hasPrefix("lm_head.") { return .head }
          return name.hasPrefix("\(language)layers.") ? .language(isForPictures: false) : .other
        },
        decays: { name in
          // Qwen2's RMS norms are not among those that transformers' trainer leaves out.
          if name.hasSuffix("bias") { return false }
          let owner = name.split(separator: ".").dropLast().last ?? ""
          return !["norm1", "norm2", "ln_q"].contains(owner)
        })
    }
  }

  let names: TensorNames
  let language: LlamaSettings
  let tower: QwenTowerSettings
  let merger: ProjectorSettings
  let readout: ScoreReadout?
  let template: any PromptTemplate
  private let imageID: Int
  private let place: String

  init(_ source: BackboneSource) throws(ModelError) {
    let config = source.config
    let spelling = Spelling(source.checkpoint)
    names = spelling.names
    let text = config.merged("text_config")
    var language = try LlamaSettings(
      text,
      names: .init(
        embeddings: names.embeddings, layers: "\(spelling.language)layers",
        norm: "\(spelling.language)norm.weight", head: "lm_head"),
      family: .qwen2, vocabulary: source.vocabulary)
    language.isTied = source.isTied
    self.language = language
    tower = try QwenTowerSettings(try config.object("vision_config"), prefix: spelling.tower)
    if let stated = config.json["vision_config"]?["hidden_size"]?.int, stated != language.width {
      throw .checkpoint(
        """
        \(config.place): hidden_size of vision_config is \(stated), and the language model is \
        \(language.width) wide
        """)
    }
    let joined = tower.merge * tower.merge * tower.layer.width
    merger = ProjectorSettings(
      layers: ["\(spelling.tower)merger.mlp.0", "\(spelling.tower)merger.mlp.2"],
      norm: ("\(spelling.tower)merger.ln_q", QwenTowerSettings.epsilon), merge: tower.merge,
      inputs: tower.layer.width, hidden: joined, outputs: language.width)
    readout = try ScoreReadout(byID: source, vocabulary: language.vocabulary, prefersFast: true)
    imageID = config.json["image_token_id"]?.int ?? 151_655
    template = Qwen2VLPrompt(imageID: imageID)
    place = config.place
  }

  var sizes: BackboneSizes {
    BackboneSizes(
      vocabulary: language.vocabulary, maxPositions: language.maxPositions, pictureRows: 1,
      isTied: language.isTied,
      branchEnds: [
        ("self_attn.o_proj.weight", language.layers), ("mlp.down_proj.weight", language.layers),
        ("attn.proj.weight", tower.layers), ("mlp.fc2.weight", tower.layers),
      ])
  }

  var facts: [(name: String, value: String)] {
    [
      ("language", language.summary), ("vision", tower.summary),
      (
        "merger",
        "squares of \(tower.merge) x \(tower.merge), \(merger.hidden) to \(merger.outputs)"
      ),
    ]
  }

  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks {
    Networks(
      vision: QwenTower(reader, tower, compute), connector: Projector(reader, merger, compute),
      language: LlamaDecoder(reader, language, compute))
  }

  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing {
    try QwenPreprocessing.read(
      try checkpoint.config("preprocessor_config.json"), for: tower)
  }

  func endIDs(
    _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int] {
    try PictureToken.check("<|image_pad|>", is: imageID, in: tokenizer, place)
    return try EndTokens.read(checkpoint, tokenizer)
  }
}
