import RocImage
import RocJSON
import RocTensor

/// Sizes and names of a CLIP tower.
struct CLIPSettings: Sendable {
  let layer: VisionLayerSettings
  /// Layers that are computed.
  let layers: Int
  /// Layers of the file; those after the computed ones are not read.
  let layersStored: Int
  let edge: Int
  let patch: Int
  let names: Names

  /// What the tensors are called, without `.weight` and `.bias` where there are both.
  struct Names: Sendable {
    let patches: String
    let classToken: String
    let positions: String
    let preNorm: String
    /// Nil where what the last computed layer gives is taken as it is.
    let postNorm: String?
    /// What stands before the number of a layer.
    let layers: String
    let layer: VisionLayerSettings.Names
    /// Whether class token and positions have an axis of one picture before their own.
    var hasPictureAxis = true
  }

  var width: Int { layer.width }
  var patchesPerEdge: Int { edge / patch }
  var tokens: Int { 1 + patchesPerEdge * patchesPerEdge }

  /// Values for what a configuration leaves out; `CLIPVisionConfig`'s in the Hugging Face layout.
  struct Defaults {
    var width: Int?
    var layers: Int?
    var heads: Int?
    var feedForward: Int?
    var edge: Int?
    var patch: Int?
    var epsilon = 1e-6
    /// Whether `hidden_act` counts; mPLUG-Owl2's code does not look at it.
    var readsActivation = false

    /// `CLIPVisionConfig` of https://huggingface.co/docs/transformers/model_doc/clip.
    static let clip = Defaults(
      width: 768, layers: 12, heads: 12, feedForward: 3072, edge: 224, patch: 32, epsilon: 1e-5,
      readsActivation: true)
  }

  /// - Parameters:
  ///   - config: Of the tower.
  ///   - names: What its tensors are called.
  ///   - defaults: Of sizes that the configuration leaves out.
  ///   - computed: How many of the layers are computed, given how many there are; all when nil.
  /// - Throws: `ModelError.checkpoint` for an invalid size, or one that another does not divide.
  init(
    _ config: ConfigReader, names: Names, defaults: Defaults = Defaults(),
    layers computed: (Int) throws(ModelError) -> Int = { $0 }
  ) throws(ModelError) {
    self.names = names
    let width = try config.size("hidden_size", default: defaults.width)
    layersStored = try config.size("num_hidden_layers", most: 1024, default: defaults.layers)
    layers = try computed(layersStored)
    let heads = try config.size("num_attention_heads", default: defaults.heads)
    edge = try config.size("image_size", default: defaults.edge)
    patch = try config.size("patch_size", default: defaults.patch)
    let stated = defaults.readsActivation ? config.json["hidden_act"] : nil
    let name = stated?.isNull ?? true ? Activation.quickGELU.rawValue : stated?.string
    guard let activation = Activation(rawValue: name ?? "") else {
      throw .checkpoint(
        """
        \(config.place): hidden_act \(config.json["hidden_act"]?.line ?? "") is not supported, \
        expected quick_gelu or gelu
        """)
    }
    layer = VisionLayerSettings(
      width: width, heads: heads,
      feedForward: try config.size("intermediate_size", default: defaults.feedForward),
      epsilon: Float(
        try config.positive(
          "layer_norm_eps", default: defaults.epsilon, within: ConfigReader.epsilons)),
      activation: activation, names: names.layer)
    guard width % heads == 0 else {
      throw .checkpoint("\(config.place): \(heads) heads do not divide hidden_size \(width)")
    }
    guard edge % patch == 0 else {
      throw .checkpoint("\(config.place): patch_size \(patch) does not divide image_size \(edge)")
    }
  }

  /// The sizes on one line.
  var summary: String {
    let used = layers == layersStored ? "\(layers)" : "\(layers) of \(layersStored)"
    return """
      \(used) layers, width \(width), \(layer.heads) heads, MLP \(layer.feedForward), \(edge) px in \
      patches of \(patch)
      """
  }
}

/// CLIP's vision transformer: [3, edge²] pixels to [1 + patches, width] features of each picture.
///
/// Letters: B = pictures, T = tokens of one, V = width. The class token comes first; what the last
/// computed layer gives goes through the last norm where there is one, all tokens of it.
struct CLIPTower: VisionEncoder {
  let isTrained: Bool
  let settings: CLIPSettings
  let compute: Compute
  let patchEmbedding: Linear
  let classToken: Parameter
  let positions: Parameter
  let preNorm: LayerNorm
  let postNorm: LayerNorm?
  let layers: [VisionLayer]

  init(_ reader: WeightReader, _ settings: CLIPSettings, _ compute: Compute) {
    let trained = reader.trained.count
    self.settings = settings
    self.compute = compute
    let (width, names) = (settings.width, settings.names)
    patchEmbedding = reader.linear(
      names.patches, shape: [width, 3, settings.patch, settings.patch],
      kept: true)
    classToken = reader.values(
      names.classToken, shape: names.hasPictureAxis ? [1, 1, width] : [width])
    positions = reader.values(
      names.positions,
      shape: (names.hasPictureAxis ? [1] : []) + [settings.tokens, width])
    let epsilon = settings.layer.epsilon
    preNorm = LayerNorm(reader, names.preNorm, count: width, epsilon: epsilon)
    postNorm = names.postNorm.map { LayerNorm(reader, $0, count: width, epsilon: epsilon) }
    layers = (0..<settings.layers).map {
      VisionLayer(reader, "\(names.layers).\($0)", settings.layer)
    }
    for unused in settings.layers..<settings.layersStored {
      reader.ignore(prefix: "\(names.layers).\(unused).")
    }
    isTrained = reader.trained.count > trained
  }

  func encode(_ pictures: [Pixels], trace: Trace?, tape: Tape?) -> PictureRows {
    precondition(tape == nil || pictures.count == 1, "a derivative of \(pictures.count) pictures")
    if let first = pictures.first { trace?.record("pixel_values", first.values) }
    var x = embed(pictures, tape: tape)
    let counts = pictures.map { _ in settings.tokens }
    trace?.record("vision.embeddings", x)
    for (i, layer) in layers.enumerated() {
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(x, counts: counts, compute, tape: tape?.recomputes == true ? nil : tape)
      trace?.record("vision.layer\(i)", x)
    }
    guard let postNorm else { return PictureRows(x, counts: counts) }
    let features = postNorm(x, compute)
    tape?.push(LayerInput(x))
    return PictureRows(features, counts: counts)
  }

  func firstLayer(_ features: borrowing PictureRows) -> Matrix {
    layers[0](features.matrix.copy(), counts: features.counts, compute, tape: nil)
  }

  func operations(_ pixels: Pixels) -> Double {
    let patches =
      2 * Double((settings.tokens - 1) * settings.width)
      * Double(3 * settings.patch * settings.patch)
    return Double(settings.layers) * settings.layer.operations(rows: settings.tokens) + patches
  }

  func layerOperations(_ pixels: Pixels) -> Double {
    settings.layer.operations(rows: settings.tokens)
  }

  /// Class tokens and patches with their positions added, normalised: [B · T, V].
  private func embed(_ pictures: [Pixels], tape: Tape?) -> Matrix {
    let (tokens, edge) = (settings.tokens, settings.edge)
    let cuts = compute.matrix(
      pictures.count * (tokens - 1), 3 * settings.patch * settings.patch)
    for (place, picture) in pictures.enumerated() {
      precondition(
        picture.width == edge && picture.height == edge,
        "\(picture.height) x \(picture.width) pixels for a tower of \(edge)")
      compute.patches(
        compute.matrix(3, edge * edge, picture.values), width: edge, patch: settings.patch,
        into: cuts, at: place * (tokens - 1))
    }
    let patches = patchEmbedding(cuts, compute)
    let x = compute.matrix(pictures.count * tokens, settings.width)
    for place in pictures.indices {
      compute.copy(classToken, into: x, at: place * tokens)
      compute.copy(
        patches, rows: place * (tokens - 1)..<(place + 1) * (tokens - 1), into: x,
        at: place * tokens + 1)
      compute.add(positions, to: x, at: place * tokens)
    }
    let normed = preNorm(x, compute)
    tape?.push(EmbeddingRecord(cuts: cuts, x: x))
    return normed
  }
}
