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
  private let config: VisionConfig
  private let compute: Compute
  private let patchEmbedding: Linear
  private let classToken: [Float]
  private let positions: [Float]
  private let preNorm: LayerNorm
  private let postNorm: LayerNorm
  private let layers: [VisionLayer]

  init(_ reader: WeightReader, config: VisionConfig, compute: Compute) {
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
  }

  func encode(_ pixels: borrowing Matrix, trace: Trace?) -> Matrix {
    var x = preNorm(embed(pixels), compute)
    trace?.record("vision.embeddings", x)
    for (i, layer) in layers.enumerated() {
      x = layer(x, config, compute)
      trace?.record("vision.layer\(i)", x)
    }
    return postNorm(x, compute)
  }

  var operations: Double {
    let (rows, width, hidden) = (
      Double(config.tokens), Double(config.width), Double(config.feedForward)
    )
    let products = 2 * rows * (4 * width * width + 2 * width * hidden)
    let attention = 4 * rows * rows * width
    let patches = 2 * (rows - 1) * width * Double(3 * config.patch * config.patch)
    return Double(config.layers) * (products + attention) + patches
  }

  /// Class token and patches with their positions added: [1 + P, V].
  private func embed(_ pixels: borrowing Matrix) -> Matrix {
    let patches = patchEmbedding(cut(pixels), compute)
    let x = Matrix(rows: config.tokens, columns: config.width, positions)
    let first = x.row(0)
    for i in 0..<config.width { first[i] += classToken[i] }
    for row in 0..<patches.rows {
      let target = x.row(row + 1)
      let source = patches.row(row)
      for i in 0..<config.width { target[i] += source[i] }
    }
    return x
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

/// One encoder layer: attention and a quick-GELU MLP, each with its norm before it.
private struct VisionLayer: Sendable {
  let attentionNorm: LayerNorm
  let queryKeyValue: Linear
  let dense: Linear
  let mlpNorm: LayerNorm
  let expand: Linear
  let reduce: Linear

  init(_ reader: WeightReader, _ name: String, config: VisionConfig) {
    let width = config.width
    attentionNorm = LayerNorm(
      reader, "\(name).input_layernorm", count: width, epsilon: config.epsilon)
    queryKeyValue = reader.linear(
      "\(name).self_attn.query_key_value", outputs: 3 * width, inputs: width)
    dense = reader.linear("\(name).self_attn.dense", outputs: width, inputs: width)
    mlpNorm = LayerNorm(
      reader, "\(name).post_attention_layernorm", count: width, epsilon: config.epsilon)
    expand = reader.linear("\(name).mlp.fc1", outputs: config.feedForward, inputs: width)
    reduce = reader.linear("\(name).mlp.fc2", outputs: width, inputs: config.feedForward)
  }

  func callAsFunction(
    _ x: consuming Matrix, _ config: VisionConfig, _ compute: Compute
  ) -> Matrix {
    attend(attentionNorm(x, compute), addingTo: x, config, compute)
    let hidden = expand(mlpNorm(x, compute), finish: .quickGELU, compute)
    reduce.apply(hidden, into: x, finish: .add, compute)
    return x
  }

  /// Each head holds its own query, key and value triple in the rows of the joint projection.
  private func attend(
    _ x: borrowing Matrix, addingTo sum: borrowing Matrix, _ config: VisionConfig,
    _ compute: Compute
  ) {
    let joint = queryKeyValue(x, compute)
    defer { extendLifetime(joint) }
    let width = config.headWidth
    func part(_ index: Int) -> HeadLayout {
      HeadLayout(
        joint.values + index * width, rowStride: joint.columns, headStride: 3 * width)
    }
    let mixed = compute.attend(
      query: part(0), key: part(1), value: part(2), queries: x.rows, keys: x.rows,
      heads: config.heads, keyHeads: config.heads, width: width,
      scale: 1 / Float(width).squareRoot())
    dense.apply(mixed, into: sum, finish: .add, compute)
  }
}
