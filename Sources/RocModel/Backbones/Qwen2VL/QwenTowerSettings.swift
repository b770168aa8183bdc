import RocJSON

/// Sizes and names of Qwen2-VL's vision tower, `vision_config`.
struct QwenTowerSettings: Sendable {
  /// Of every LayerNorm, in the code and in no configuration.
  static let epsilon: Float = 1e-6

  let layer: VisionLayerSettings
  let layers: Int
  let patch: Int
  /// The edge of the squares of patches that become one row.
  let merge: Int
  /// Pictures that stand for one moment of a video; a still is given that many times.
  let frames: Int
  let prefix: String

  /// - Throws: `ModelError.checkpoint` for an invalid size, or another tower.
  init(_ config: ConfigReader, prefix: String) throws(ModelError) {
    self.prefix = prefix
    layers = try config.size("depth", most: 1024, default: 32)
    let width = try config.size("embed_dim", default: 1280)
    let heads = try config.size("num_heads", default: 16)
    let ratio = try config.positive("mlp_ratio", default: 4)
    guard ratio <= 64, Double(width) * ratio >= 1 else {
      throw .checkpoint("\(config.place): mlp_ratio is \(ratio), expected a number up to 64")
    }
    patch = try config.size("patch_size", most: 256, default: 14)
    merge = try config.size("spatial_merge_size", most: 16, default: 2)
    frames = try config.size("temporal_patch_size", most: 16, default: 2)
    let channels = try config.size("in_channels", default: 3)
    guard channels == 3 else {
      throw .checkpoint("\(config.place): in_channels is \(channels), expected 3")
    }
    guard width % heads == 0, (width / heads) % 4 == 0 else {
      throw .checkpoint(
        """
        \(config.place): embed_dim \(width) and num_heads \(heads) do not give heads whose quarters \
        are whole, which rows and columns turn
        """)
    }
    let name = config.json["hidden_act"]?.string ?? "quick_gelu"
    guard let activation = Activation(rawValue: name) else {
      throw .checkpoint(
        "\(config.place): hidden_act \(name) is not supported, expected quick_gelu or gelu")
    }
    layer = VisionLayerSettings(
      width: width, heads: heads, feedForward: Int(Double(width) * ratio), epsilon: Self.epsilon,
      activation: activation,
      names: .init(
        attentionNorm: "norm1", queryKeyValue: .byKind("attn.qkv"), output: "attn.proj",
        mlpNorm: "norm2", expand: "mlp.fc1", reduce: "mlp.fc2"))
  }

  /// The sizes on one line.
  var summary: String {
    """
    \(layers) layers, width \(layer.width), \(layer.heads) heads, MLP \(layer.feedForward), patches \
    of \(patch)
    """
  }
}
