import RocImage
import RocJSON

/// CLIP's image processor, preprocessor_config.json; sizes may be numbers or objects.
enum CLIPPreprocessing {
  /// - Parameters:
  ///   - config: preprocessor_config.json.
  ///   - edge: Of the pictures that the tower takes.
  /// - Returns: How pictures are prepared.
  /// - Throws: `ModelError.checkpoint` for what is not computed here.
  static func read(
    _ config: ConfigReader, edge: Int
  ) throws(ModelError) -> Preprocessing {
    try checkFlags(config, ["do_resize", "do_center_crop", "do_rescale", "do_normalize"])
    let kinds = ["CLIP", "Llava"].flatMap { kind in
      ["ImageProcessor", "ImageProcessorFast", "FeatureExtractor"].map { kind + $0 }
    }
    for key in ["image_processor_type", "feature_extractor_type"] {
      if let kind = config.json[key]?.string, !kinds.contains(kind) {
        throw .checkpoint(
          "\(config.place): \(key) is \(kind), expected CLIPImageProcessor; it prepares otherwise")
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
    let values = try normalisation(config)
    let result = Preprocessing(
      size: try side("size", "shortest_edge"), cropSize: try side("crop_size", "height"),
      mean: values.mean, deviation: values.deviation, rescale: values.rescale,
      filter: values.filter)
    // A size of more than a few times the edge is a mistake, and would take unbounded memory.
    guard result.cropSize == edge, (edge...8 * edge).contains(result.size) else {
      throw .checkpoint(
        """
        \(config.place): pictures of size \(result.size) cut to \(result.cropSize), but \
        config.json has image_size \(edge)
        """)
    }
    return result
  }

  /// Refuses a file that turns off what is done here.
  static func checkFlags(_ config: ConfigReader, _ flags: [String]) throws(ModelError) {
    guard config.json.members != nil else {
      throw .checkpoint("\(config.place): holds \(config.json.kind), expected an object")
    }
    for flag in flags {
      guard config.json[flag]?.bool != false else {
        throw .checkpoint("\(config.place): \(flag) false is not supported")
      }
    }
  }

  /// How values are resized and scaled.
  struct Normalisation {
    let mean: [Double]
    let deviation: [Double]
    let rescale: Double
    let filter: Preprocessing.Filter
  }

  /// What image processors have in common.
  static func normalisation(_ config: ConfigReader) throws(ModelError) -> Normalisation {
    let number = try config.size("resample", default: 3)
    guard let filter = Preprocessing.Filter(rawValue: number) else {
      throw .checkpoint(
        "\(config.place): resample \(number), expected 1 (Lanczos), 2 (bilinear) or 3")
    }
    let deviation = try config.numbers(
      "image_std", count: 3, default: Preprocessing.clipDeviation)
    guard deviation.allSatisfy({ Float($0) >= Float.leastNormalMagnitude }) else {
      throw .checkpoint("\(config.place): image_std \(deviation), expected numbers above 0")
    }
    return Normalisation(
      mean: try config.numbers("image_mean", count: 3, default: Preprocessing.clipMean),
      deviation: deviation, rescale: try config.positive("rescale_factor", default: 1.0 / 255),
      filter: filter)
  }
}
