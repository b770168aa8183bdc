import RocImage
import RocJSON

/// Qwen2-VL's image processor, preprocessor_config.json.
enum QwenPreprocessing {
  /// The class's own limits, where the file states none.
  private static let leastPixels = 56 * 56
  private static let mostPixels = 28 * 28 * 1280

  /// - Parameters:
  ///   - config: preprocessor_config.json.
  ///   - patch: The tower's.
  ///   - merge: The edge of the squares of patches that become one row.
  /// - Returns: How pictures are prepared.
  /// - Throws: `ModelError.checkpoint` for what is not computed here.
  static func read(
    _ config: ConfigReader, patch: Int, merge: Int
  ) throws(ModelError) -> Preprocessing {
    try CLIPPreprocessing.checkFlags(config, ["do_resize", "do_rescale", "do_normalize"])
    for (key, expected) in [
      ("patch_size", patch), ("merge_size", merge), ("temporal_patch_size", 2),
    ] {
      let stated = try config.size(key, default: expected)
      guard stated == expected else {
        throw .checkpoint("\(config.place): \(key) is \(stated), and config.json says \(expected)")
      }
    }
    // Counts of pixels, in spite of the names that newer files have for them.
    let size = config.json["size"]?.members == nil ? nil : try config.object("size")
    func limit(_ key: String, _ edge: String, _ preset: Int) throws(ModelError) -> Int {
      if let stated = config.json[key], !stated.isNull {
        return try config.size(key, most: 1 << 40)
      }
      guard let size, size.json[edge] != nil else { return preset }
      return try size.size(edge, most: 1 << 40)
    }
    let least = try limit("min_pixels", "shortest_edge", leastPixels)
    let most = try limit("max_pixels", "longest_edge", mostPixels)
    let factor = patch * merge
    guard least <= most, most >= factor * factor else {
      throw .checkpoint(
        """
        \(config.place): pictures of \(least) to \(most) pixels, expected at least the \
        \(factor * factor) of one row, and the smaller number first
        """)
    }
    let values = try CLIPPreprocessing.normalisation(config)
    return Preprocessing(
      size: 0, mean: values.mean, deviation: values.deviation, rescale: values.rescale,
      filter: values.filter,
      shape: .fit(PixelLimits(factor: factor, least: least, most: most)))
  }
}
