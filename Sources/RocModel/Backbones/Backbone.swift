package import RocCheckpoint
package import RocImage
package import RocJSON
package import RocTensor
package import RocTokenizer

/// A network that roc runs, as its folder describes it: which blocks it is made of, what its tensors
/// are called, how a picture becomes rows, how a prompt is spelled, and by which ids scores are
/// read.
///
/// Loading, conversion, inspection, scoring and training ask it and know no network by name.
/// Another one is a folder here and a line in `Backbones.all`.
package protocol Backbone: Sendable {
  /// What people call it.
  static var name: String { get }
  /// The values of `model_type` in config.json that stand for it.
  static var modelTypes: [String] { get }
  /// Whether config.json describes it, where others have the same `model_type`.
  static func isDescribed(by config: ConfigReader) -> Bool
  /// What its tensors are called in a checkpoint: the same network is spelled in several ways.
  static func names(in checkpoint: Checkpoint) -> TensorNames
  /// The checkpoint with whatever part of it lies outside its folder.
  static func completed(
    _ checkpoint: Checkpoint, _ config: ConfigReader
  ) throws(ModelError) -> Checkpoint

  /// - Throws: `ModelError.checkpoint` for what does not fit together or is not computed here.
  init(_ source: BackboneSource) throws(ModelError)

  /// What its tensors are called.
  var names: TensorNames { get }
  var sizes: BackboneSizes { get }
  /// Whether the score tokens are the last rows of the head, not those that config.json names.
  var readsLastRows: Bool { get }
  /// Keys of config.json that change when weights that lie elsewhere are written into its folder.
  var changesOfWholeFolder: [(name: String, value: JSON)] { get }
  /// Random models of it that can be made.
  static var presets: [ModelPreset] { get }
  /// Tensors that a checkpoint gets with its score tokens, besides the rows of tables.
  static var scoreTensors: [(name: String, values: [Float])] { get }
  /// Nil for a checkpoint without score tokens.
  var readout: ScoreReadout? { get }
  var template: any PromptTemplate { get }
  /// What people want to know about it, by name, in order.
  var facts: [(name: String, value: String)] { get }

  /// The three networks from their weights.
  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks
  /// How pictures are prepared.
  ///
  /// - Parameter checkpoint: Has preprocessor_config.json.
  /// - Returns: What makes pixels of pictures.
  /// - Throws: `ModelError.checkpoint` where it is missing, contradicts config.json, or asks for
  ///   what is not computed here.
  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing

  /// Whether `added_tokens_decoder` counts beside a tokenizer.model.
  static var statesTokens: Bool { get }
  /// Files beside the weights that it reads besides `Checkpoint.companions`.
  static var furtherFiles: [String] { get }
  /// What ends an answer, as the checkpoint states it; other checks of the tokenizer belong here.
  func endIDs(
    _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int]
}

extension Backbone {
  package static func isDescribed(by config: ConfigReader) -> Bool {
    modelTypes.contains(config.json["model_type"]?.string ?? "")
  }

  package static func completed(
    _ checkpoint: Checkpoint, _ config: ConfigReader
  ) throws(ModelError) -> Checkpoint { checkpoint }

  package static var furtherFiles: [String] { [] }

  package static var statesTokens: Bool { true }

  package var readsLastRows: Bool { false }

  package var changesOfWholeFolder: [(name: String, value: JSON)] { [] }

  package static var scoreTensors: [(name: String, values: [Float])] { [] }

  package static var presets: [ModelPreset] { [] }

  package func endIDs(
    _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int] { try EndTokens.read(checkpoint, tokenizer) }
}

/// What a backbone is read from.
package struct BackboneSource {
  /// config.json.
  package let config: ConfigReader
  /// `Checkpoint.empty` where only the network is asked for.
  package let checkpoint: Checkpoint
  /// Rows of embeddings and head where an adapter brings a number other than config.json's.
  package let vocabulary: Int?
  /// Whether the head has the weights of the embeddings.
  package let isTied: Bool

  /// - Throws: `ModelError.checkpoint` where config.json contradicts itself.
  package init(
    _ config: ConfigReader, _ checkpoint: Checkpoint = .empty, vocabulary: Int? = nil
  ) throws(ModelError) {
    self.config = config
    self.checkpoint = checkpoint
    self.vocabulary = vocabulary
    isTied = try Self.isTied(config)
  }

  /// `tie_word_embeddings` stands at the top or, from transformers 5 on, with the decoder's keys.
  static func isTied(_ config: ConfigReader) throws(ModelError) -> Bool {
    let key = "tie_word_embeddings"
    let stated = [config.json[key], config.json["text_config"]?[key]].compactMap { $0?.bool }
    guard Set(stated).count <= 1 else {
      throw .checkpoint(
        """
        \(config.place): \(key) is \(stated[0]), and \(stated[1]) in text_config; keep the one that \
        the weights were trained with
        """)
    }
    return stated.first ?? false
  }
}

/// The networks of a backbone.
package struct Networks {
  package let vision: any VisionEncoder
  package let connector: any Connector
  package let language: any LanguageModel

  package init(
    vision: any VisionEncoder, connector: any Connector, language: any LanguageModel
  ) {
    self.vision = vision
    self.connector = connector
    self.language = language
  }
}

/// Sizes that everything around a network asks for.
package struct BackboneSizes: Sendable {
  /// Rows of the embeddings and of the logits.
  package let vocabulary: Int
  /// The most rows of a sequence.
  package let maxPositions: Int
  /// Rows that a picture takes in a sequence, at least.
  package let pictureRows: Int
  /// Whether the head's weights are those of the embeddings.
  package let isTied: Bool
  /// The ends of the names of matrices that add to a residual stream, and the layers of its network.
  package let branchEnds: [(name: String, layers: Int)]

  package init(
    vocabulary: Int, maxPositions: Int, pictureRows: Int, isTied: Bool,
    branchEnds: [(name: String, layers: Int)] = []
  ) {
    self.branchEnds = branchEnds
    self.vocabulary = vocabulary
    self.maxPositions = maxPositions
    self.pictureRows = pictureRows
    self.isTied = isTied
  }

  /// Layers of the network whose residual stream this matrix adds to; nil for other matrices.
  func depth(ofBranchEnd name: String) -> Int? {
    branchEnds.first { name.hasSuffix($0.name) }?.layers
  }
}

/// What the tensors of a backbone are called.
package struct TensorNames: Sendable {
  /// What a tensor belongs to.
  package enum Part: Sendable, Equatable {
    case vision
    case connector
    /// The language model; `isForPictures` where only rows of pictures use it.
    case language(isForPictures: Bool)
    case head
    case other
  }

  /// [vocabulary, width].
  package let embeddings: String
  /// [vocabulary, width].
  package let head: String
  /// What people call the network between vision and language.
  package let connector: String
  package let part: @Sendable (String) -> Part
  /// Whether weight decay applies to a tensor, as in the trainer of the original code.
  package let decays: @Sendable (String) -> Bool

  package init(
    embeddings: String, head: String, connector: String = "connector",
    part: @escaping @Sendable (String) -> Part,
    decays: @escaping @Sendable (String) -> Bool
  ) {
    self.embeddings = embeddings
    self.head = head
    self.connector = connector
    self.part = part
    self.decays = decays
  }
}

/// The networks that this version runs.
package enum Backbones {
  package static let all: [any Backbone.Type] = [
    Owl2.self, LLaVA.self, OriginalLLaVA.self, Qwen2VL.self,
  ]

  /// Networks that look alike but compute differently.
  private static let relatives = [
    "llava_next": "LLaVA-1.6 and NeXT cut pictures into tiles",
    "llava_next_video": "it takes videos", "video_llava": "it takes videos",
    "llava_onevision": "it cuts pictures into tiles", "vipllava": "it has another projector",
    "qwen2_5_vl": "its vision tower attends within windows", "qwen3_vl": "it has another tower",
    "qwen2_vl_text": "it is the language model alone", "mplug_owl": "it has another abstractor",
    "mplug_owl3": "it has hyper attention",
  ]

  /// The one that config.json names.
  ///
  /// - Throws: `ModelError.checkpoint` for a network that is not among them.
  static func find(
    _ config: ConfigReader, among backbones: [any Backbone.Type]
  ) throws(ModelError) -> any Backbone.Type {
    let modelType = config.json["model_type"]?.string
    for backbone in backbones where backbone.isDescribed(by: config) { return backbone }
    var names: [String] = []
    for backbone in backbones {
      names += backbone.modelTypes.filter { !names.contains($0) }
    }
    let relative = relatives[modelType ?? ""].map { " (\($0))" } ?? ""
    throw .checkpoint(
      """
      \(config.place): model_type is \(modelType ?? "missing")\(relative), expected \
      \(names.joined(separator: " or ")); other architectures are not supported
      """)
  }
}
