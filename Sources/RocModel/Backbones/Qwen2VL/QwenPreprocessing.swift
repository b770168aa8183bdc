import RocImage
import RocJSON

extension Preprocessing {
  /// The same with at most `most` pixels for a picture.
  ///
  /// - Throws: `ModelError.request` for models whose pictures have one size, and for fewer pixels
  ///   than one row of the language model stands for.
  func limited(to most: Int) throws(ModelError) -> Preprocessing {
    guard case .fit(let limits) = shape else {
      throw .request(
        "--max-pixels: this model takes all pictures in \(cropSize) x \(cropSize) pixels")
    }
    let least = limits.factor * limits.factor
    guard most >= max(least, limits.least) else {
      throw .request(
        """
        --max-pixels \(most): expected at least \(max(least, limits.least)), which \
        preprocessor_config.json has as the fewest
        """)
    }
    var result = self
    result.shape = .fit(PixelLimits(factor: limits.factor, least: limits.least, most: most))
    return result
  }
}

/// Qwen2-VL's image processor, preprocessor_config.json.
enum QwenPreprocessing {
  /// The class's own limits, where the file states none.
  private static let leastPixels = 56 * 56
  private static let mostPixels = 28 * 28 * 1280

  /// - Parameters:
  ///   - config: preprocessor_config.json.
  ///   - tower: What the pixels are for.
  /// - Returns: How pictures are prepared.
  /// - Throws: `ModelError.checkpoint` for what is not computed here.
  static func read(
    _ config: ConfigReader, for tower: QwenTowerSettings
  ) throws(ModelError) -> Preprocessing {
    try CLIPPreprocessing.checkFlags(config, ["do_resize", "do_rescale", "do_normalize"])
    // The processor's own defaults count where the file states nothing.
    for (key, preset, expected) in [
      ("patch_size", 14, tower.patch), ("merge_size", 2, tower.merge),
      ("temporal_patch_size", 2, tower.frames),
    ] {
      let stated = try config.size(key, default: preset)
      guard stated == expected else {
        throw .checkpoint("\(config.place): \(key) is \(stated), and config.json says \(expected)")
      }
    }
    // Counts of pixels, in spite of the names that newer files have for them.
    let size = config.json["size"]?.members == nil ? nil : try config.object("size")
    func limit(_ key: String, _ edge: String, _ preset: Int) throws(ModelError) -> Int {
      for (reader, name) in [(config, key), (size, edge), (size, key)] {
        guard let reader, let stated = reader.json[name], !stated.isNull else { continue }
        return try reader.size(name, most: 1 << 40)
      }
      return preset
    }
    let least = try limit("min_pixels", "shortest_edge", leastPixels)
    let most = try limit("max_pixels", "longest_edge", mostPixels)
    let factor = tower.patch * tower.merge
    guard least <= most, most >= factor * factor, least <= Preprocessing.mostPixels else {
      throw .checkpoint(
        """
        \(config.place): pictures of \(least) to \(most) pixels, expected the smaller number first, \
        at least the \(factor * factor) of one row, and at most \(Preprocessing.mostPixels) to which \
        pictures are enlarged
        """)
    }
    let values = try CLIPPreprocessing.normalisation(config)
    return Preprocessing(
      size: 0, mean: values.mean, deviation: values.deviation, rescale: values.rescale,
      filter: values.filter,
      shape: .fit(PixelLimits(factor: factor, least: least, most: most)))
  }
}
