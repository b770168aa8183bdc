import RocCheckpoint
import RocImage
import RocJSON
import RocScore
import RocTensor
import RocTokenizer

/// mPLUG-Owl2 with ROC's score tokens: config.json with `model_type` "mplug_owl2".
///
/// A further backbone gets a folder with its own parts and a case in `ModelLoader`.
enum OwlModel {
  static let modelType = "mplug_owl2"

  /// Everything config.json says.
  struct Config {
    let language: LlamaConfig
    let vision: VisionConfig
    let abstractor: AbstractorConfig
    /// Nil for a checkpoint without score tokens, as mPLUG-Owl2's own, Q-Align's and DeQA's.
    let readout: ScoreReadout?

    /// - Parameters:
    ///   - config: config.json.
    ///   - vocabulary: Rows of the tables where they are not as config.json says.
    /// - Throws: `ModelError.checkpoint` for what does not fit together.
    init(_ config: ConfigReader, vocabulary: Int? = nil) throws(ModelError) {
      language = try LlamaConfig(config, vocabulary: vocabulary)
      let visual = try config.object("visual_config")
      vision = try VisionConfig(try visual.object("visual_model"))
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
      readout = try Self.readout(config, vocabulary: language.vocabulary)
    }

    private static func readout(
      _ config: ConfigReader, vocabulary: Int
    ) throws(ModelError) -> ScoreReadout? {
      let fields = ["score_id", "img_token_num", "num_tokens"]
      guard fields.contains(where: { !(config.json[$0]?.isNull ?? true) }) else { return nil }
      let scoreID = try config.size("score_id", most: 1 << 20)
      let tokens = try config.size("img_token_num")
      let count = try config.size("num_tokens")
      let low = try config.number("min_score")
      let high = try config.number("max_score")
      guard tokens == count else {
        throw .checkpoint(
          "\(config.place): img_token_num \(tokens) and num_tokens \(count) must be equal")
      }
      guard low < high, Float(low).isFinite, Float(high).isFinite else {
        throw .checkpoint(
          "\(config.place): min_score \(low) is not below max_score \(high), or too large")
      }
      guard scoreID < vocabulary, tokens < vocabulary else {
        throw .checkpoint(
          """
          \(config.place): score_id \(scoreID) and img_token_num \(tokens) do not fit \
          vocab_size \(vocabulary)
          """)
      }
      return ScoreReadout(
        scoreID: scoreID, tokens: tokens, axis: ScoreAxis(low: low, high: high, count: count))
    }
  }

  /// The three networks from their weights.
  static func networks(
    _ reader: WeightReader, _ config: Config, _ compute: Compute
  ) -> (CLIPVisionEncoder, VisualAbstractor, MultiwayLlama) {
    reader.ignore("learned_weight")
    return (
      CLIPVisionEncoder(reader, config: config.vision, compute: compute),
      VisualAbstractor(
        reader, config: config.abstractor, languageWidth: config.language.width,
        compute: compute),
      MultiwayLlama(reader, config: config.language, compute: compute)
    )
  }

  /// preprocessor_config.json; sizes may be numbers or objects.
  static func preprocessing(
    _ config: ConfigReader, edge: Int
  ) throws(ModelError) -> Preprocessing {
    guard config.json.members != nil else {
      throw .checkpoint("\(config.place): holds \(config.json.kind), expected an object")
    }
    for flag in ["do_resize", "do_center_crop", "do_rescale", "do_normalize"] {
      guard config.json[flag]?.bool != false else {
        throw .checkpoint("\(config.place): \(flag) false is not supported")
      }
    }
    if let crop = config.json["crop_size"], let width = crop["width"]?.int {
      guard width == crop["height"]?.int else {
        throw .checkpoint("\(config.place): crop_size \(crop.line) is not square")
      }
    }
    func side(_ name: String, _ key: String) throws(ModelError) -> Int {
      guard config.json[name]?.members != nil else { return try config.size(name, default: edge) }
      return try config.object(name).size(key)
    }
    let filterNumber = try config.size("resample", default: 3)
    guard let filter = Preprocessing.Filter(rawValue: filterNumber) else {
      throw .checkpoint(
        "\(config.place): resample \(filterNumber), expected 1 (Lanczos), 2 (bilinear) or 3")
    }
    let deviation = try config.numbers(
      "image_std", count: 3, default: Preprocessing.clipDeviation)
    guard deviation.allSatisfy({ Float($0) >= Float.leastNormalMagnitude }) else {
      throw .checkpoint("\(config.place): image_std \(deviation), expected numbers above 0")
    }
    let result = Preprocessing(
      size: try side("size", "shortest_edge"), cropSize: try side("crop_size", "height"),
      mean: try config.numbers(
        "image_mean", count: 3, default: Preprocessing.clipMean),
      deviation: deviation, rescale: try config.positive("rescale_factor", default: 1.0 / 255),
      filter: filter)
    // A larger size than a few times the edge is a mistake, and would take memory without bound.
    guard result.cropSize == edge, (edge...8 * edge).contains(result.size) else {
      throw .checkpoint(
        """
        \(config.place): pictures of size \(result.size) cut to \(result.cropSize), but \
        config.json has image_size \(edge)
        """)
    }
    return result
  }
}
