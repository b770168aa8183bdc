import RocTensor

/// Sizes of the vision encoder, `visual_config.visual_model` of config.json.
struct VisionConfig: Sendable {
  let width: Int
  let layers: Int
  let heads: Int
  let feedForward: Int
  let epsilon: Float
  let edge: Int
  let patch: Int

  var patchesPerEdge: Int { edge / patch }
  var tokens: Int { 1 + patchesPerEdge * patchesPerEdge }
  var headWidth: Int { width / heads }

  init(_ config: ConfigReader) throws(ModelError) {
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
}

/// mPLUG-Owl2's CLIP ViT: [3, edge²] pixels to [1 + patches, width] features.
///
/// Letters: P = patches, V = width. The class token comes first; the last layer's output goes
/// through post_layernorm, all tokens of it.
struct CLIPVisionEncoder: VisionEncoder {
  let isTrained: Bool
  let config: VisionConfig
  let compute: Compute
  let patchEmbedding: Linear
  let classToken: Parameter
  let positions: Parameter
  let preNorm: LayerNorm
  let postNorm: LayerNorm
  let layers: [VisionLayer]

  init(_ reader: WeightReader, config: VisionConfig, compute: Compute) {
    let trained = reader.trained.count
    self.config = config
    self.compute = compute
    let name = "model.vision_model"
    let width = config.width
    patchEmbedding = reader.linear(
      "\(name).embeddings.patch_embed", shape: [width, 3, config.patch, config.patch],
      outputs: width, inputs: 3 * config.patch * config.patch, kept: true)
    classToken = reader.values("\(name).embeddings.cls_token", shape: [1, 1, width])
    positions = reader.values(
      "\(name).embeddings.position_embedding", shape: [1, config.tokens, width])
    preNorm = LayerNorm(
      reader, "\(name).embeddings.pre_layernorm", count: width, epsilon: config.epsilon)
    postNorm = LayerNorm(
      reader, "\(name).post_layernorm", count: width, epsilon: config.epsilon)
    layers = (0..<config.layers).map {
      VisionLayer(reader, "\(name).encoder.layers.\($0)", config: config)
    }
    isTrained = reader.trained.count > trained
  }

  func encode(_ pixels: borrowing Matrix, trace: Trace?, tape: Tape?) -> Matrix {
    var x = embed(pixels, tape: tape)
    trace?.record("vision.embeddings", x)
    for (i, layer) in layers.enumerated() {
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(x, config, compute, tape: tape?.recomputes == true ? nil : tape)
      trace?.record("vision.layer\(i)", x)
    }
    let features = postNorm(x, compute)
    tape?.push(LayerInput(x))
    return features
  }

  func firstLayer(_ x: consuming Matrix) -> Matrix {
    layers[0](x, config, compute, tape: nil)
  }

  var operations: Double {
    let patches =
      2 * Double((config.tokens - 1) * config.width) * Double(3 * config.patch * config.patch)
    return Double(config.layers) * layerOperations + patches
  }

  var layerOperations: Double {
    let (rows, width, hidden) = (
      Double(config.tokens), Double(config.width), Double(config.feedForward)
    )
    let products = 2 * rows * (4 * width * width + 2 * width * hidden)
    let attention = 4 * rows * rows * width
    return products + attention
  }

  /// Class token and patches with their positions added, normalised: [1 + P, V].
  private func embed(_ pixels: borrowing Matrix, tape: Tape?) -> Matrix {
    let cuts = cut(pixels)
    let patches = patchEmbedding(cuts, compute)
    let x = Matrix(uninitialized: config.tokens, config.width)
    x.values.update(from: positions.values, count: x.count)
    let first = x.row(0)
    for i in 0..<config.width { first[i] += classToken.values[i] }
    for row in 0..<patches.rows {
      let target = x.row(row + 1)
      let source = patches.row(row)
      for i in 0..<config.width { target[i] += source[i] }
    }
    let normed = preNorm(x, compute)
    tape?.push(EmbeddingRecord(cuts: cuts, x: x))
    return normed
  }

  /// Patches as rows of [channel, y, x]: the convolution becomes one product.
  private func cut(_ pixels: borrowing Matrix) -> Matrix {
    let patch = config.patch
    let count = config.patchesPerEdge
    let rows = Matrix(rows: count * count, columns: 3 * patch * patch)
    for top in 0..<count {
      for left in 0..<count {
        let target = rows.row(top * count + left)
        for channel in 0..<3 {
          for y in 0..<patch {
            let source =
              pixels.row(channel) + (top * patch + y) * config.edge + left * patch
            (target + (channel * patch + y) * patch).update(from: source, count: patch)
          }
        }
      }
    }
    return rows
  }
}
