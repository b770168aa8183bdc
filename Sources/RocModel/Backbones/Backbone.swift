package import RocCheckpoint
package import RocImage
import RocJSON
package import RocTensor
package import RocTokenizer

/// A network that roc runs, as its folder describes it: which blocks it is made of, what its tensors
/// are called, how a picture becomes rows, how a prompt is spelled, and by which ids scores are
/// read.
///
/// Loading, conversion, inspection, scoring and training ask it and know no network by name. A
/// further one is a folder here and a line in `Backbones.all`.
package protocol Backbone: Sendable {
  /// The values of `model_type` in config.json that stand for it.
  static var modelTypes: [String] { get }
  /// What its tensors are called.
  static var names: TensorNames { get }

  /// - Parameters:
  ///   - config: config.json.
  ///   - vocabulary: Rows of embeddings and head where an adapter brings others than config.json
  ///     says.
  /// - Throws: `ModelError.checkpoint` for what does not fit together or is not computed here.
  init(_ config: ConfigReader, vocabulary: Int?) throws(ModelError)

  var sizes: BackboneSizes { get }
  /// Nil for a checkpoint without score tokens.
  var readout: ScoreReadout? { get }
  var template: any PromptTemplate { get }
  /// What people want to know of it, by name, in order.
  var facts: [(name: String, value: String)] { get }

  /// The three networks from their weights.
  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks
  func tokenizer(_ checkpoint: Checkpoint) throws(ModelError) -> any Tokenizer
  /// How pictures are prepared.
  ///
  /// - Parameter config: preprocessor_config.json.
  /// - Returns: What makes pixels of pictures.
  /// - Throws: `ModelError.checkpoint` for what is not computed here.
  func preprocessing(_ config: ConfigReader) throws(ModelError) -> Preprocessing
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
  /// Rows that a picture takes in a sequence, at the least.
  package let pictureRows: Int
  /// Whether the head's weights are those of the embeddings.
  package let isTied: Bool

  package init(vocabulary: Int, maxPositions: Int, pictureRows: Int, isTied: Bool) {
    self.vocabulary = vocabulary
    self.maxPositions = maxPositions
    self.pictureRows = pictureRows
    self.isTied = isTied
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
  package let part: @Sendable (String) -> Part
  /// Whether weight decay applies to a tensor, as in the trainer of the original code.
  package let decays: @Sendable (String) -> Bool

  package init(
    embeddings: String, head: String, part: @escaping @Sendable (String) -> Part,
    decays: @escaping @Sendable (String) -> Bool
  ) {
    self.embeddings = embeddings
    self.head = head
    self.part = part
    self.decays = decays
  }
}

/// The networks that this version runs.
package enum Backbones {
  package static let all: [any Backbone.Type] = [Owl2.self]

  /// The one that config.json names.
  ///
  /// - Throws: `ModelError.checkpoint` for a network that is not among them.
  static func find(
    _ config: ConfigReader, among backbones: [any Backbone.Type]
  ) throws(ModelError) -> any Backbone.Type {
    let modelType = config.json["model_type"]?.string
    for backbone in backbones where backbone.modelTypes.contains(modelType ?? "") {
      return backbone
    }
    var names: [String] = []
    for backbone in backbones { names += backbone.modelTypes }
    throw .checkpoint(
      """
      \(config.place): model_type is \(modelType ?? "missing"), expected \
      \(names.joined(separator: " or ")); other architectures are not supported
      """)
  }
}
