import RocImage
import RocTensor

/// Sizes and names of a CLIP tower.
struct CLIPSettings: Sendable {
  let width: Int
  let layers: Int
  let heads: Int
  let feedForward: Int
  let epsilon: Float
  let edge: Int
  let patch: Int
  let names: Names

  /// What the tensors are called, without `.weight` and `.bias` where there are both.
  struct Names: Sendable {
    let patches: String
    let classToken: String
    let positions: String
    let preNorm: String
    let postNorm: String
    /// What stands before the number of a layer.
    let layers: String
    /// Within a layer.
    let attentionNorm: String
    let queryKeyValue: String
    let output: String
    let mlpNorm: String
    let expand: String
    let reduce: String
  }

  var patchesPerEdge: Int { edge / patch }
  var tokens: Int { 1 + patchesPerEdge * patchesPerEdge }
  var headWidth: Int { width / heads }

  /// - Parameters:
  ///   - config: Of the tower.
  ///   - names: What its tensors are called.
  /// - Throws: `ModelError.checkpoint` for a size that is no size, or that another does not divide.
  init(_ config: ConfigReader, names: Names) throws(ModelError) {
    self.names = names
    width = try config.size("hidden_size")
    layers = try config.size("num_hidden_layers", most: 1024)
    heads = try config.size("num_attention_heads")
    feedForward = try config.size("intermediate_size")
    epsilon = Float(try config.positive("layer_norm_eps", default: 1e-6))
    edge = try config.size("image_size")
    patch = try config.size("patch_size")
    guard width % heads == 0 else {
      throw .checkpoint("\(config.place): \(heads) heads do not divide hidden_size \(width)")
    }
    guard edge % patch == 0 else {
      throw .checkpoint("\(config.place): patch_size \(patch) does not divide image_size \(edge)")
    }
  }

  /// The sizes on one line.
  var summary: String {
    """
    \(layers) layers, width \(width), \(heads) heads, MLP \(feedForward), \(edge) px in patches of \
    \(patch)
    """
  }
}

/// CLIP's vision transformer: [3, edge²] pixels to [1 + patches, width] features of each picture.
///
/// Letters: B = pictures, T = tokens of one, V = width. The class token comes first; the last
/// layer's output goes through the last norm, all tokens of it.
struct CLIPTower: VisionEncoder {
  let isTrained: Bool
  let settings: CLIPSettings
  let compute: Compute
  let patchEmbedding: Linear
  let classToken: Parameter
  let positions: Parameter
  let preNorm: LayerNorm
  let postNorm: LayerNorm
  let layers: [CLIPLayer]

  init(_ reader: WeightReader, _ settings: CLIPSettings, _ compute: Compute) {
    let trained = reader.trained.count
    self.settings = settings
    self.compute = compute
    let (width, names) = (settings.width, settings.names)
    patchEmbedding = reader.linear(
      names.patches, shape: [width, 3, settings.patch, settings.patch],
      outputs: width, inputs: 3 * settings.patch * settings.patch, kept: true)
    classToken = reader.values(names.classToken, shape: [1, 1, width])
    positions = reader.values(names.positions, shape: [1, settings.tokens, width])
    preNorm = LayerNorm(reader, names.preNorm, count: width, epsilon: settings.epsilon)
    postNorm = LayerNorm(reader, names.postNorm, count: width, epsilon: settings.epsilon)
    layers = (0..<settings.layers).map { CLIPLayer(reader, "\(names.layers).\($0)", settings) }
    isTrained = reader.trained.count > trained
  }

  func encode(_ pictures: [Pixels], trace: Trace?, tape: Tape?) -> PictureRows {
    precondition(tape == nil || pictures.count == 1, "a derivative of \(pictures.count) pictures")
    var x = embed(pictures, tape: tape)
    trace?.record("vision.embeddings", x)
    for (i, layer) in layers.enumerated() {
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(
        x, pictures: pictures.count, compute, tape: tape?.recomputes == true ? nil : tape)
      trace?.record("vision.layer\(i)", x)
    }
    let features = postNorm(x, compute)
    tape?.push(LayerInput(x))
    return PictureRows(features, counts: pictures.map { _ in settings.tokens })
  }

  func firstLayer(_ x: consuming Matrix) -> Matrix {
    layers[0](x, pictures: 1, compute, tape: nil)
  }

  var operations: Double {
    let patches =
      2 * Double((settings.tokens - 1) * settings.width)
      * Double(3 * settings.patch * settings.patch)
    return Double(settings.layers) * layerOperations + patches
  }

  var layerOperations: Double {
    let (rows, width, hidden) = (
      Double(settings.tokens), Double(settings.width), Double(settings.feedForward)
    )
    let products = 2 * rows * (4 * width * width + 2 * width * hidden)
    let attention = 4 * rows * rows * width
    return products + attention
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
