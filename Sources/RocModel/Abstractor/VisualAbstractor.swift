import RocJSON
import RocTensor

/// Sizes of the abstractor, `visual_config.visual_abstractor` of config.json.
struct AbstractorConfig: Sendable {
  let width: Int
  let layers: Int
  let heads: Int
  let feedForward: Int
  /// Of the norm inside the MLP; the other norms use PyTorch's 1e-5.
  let epsilon: Float
  let queries: Int
  let grid: Int

  init(_ config: ConfigReader) throws(ModelError) {
    width = try config.size("hidden_size")
    layers = try config.size("num_hidden_layers", most: 1024)
    heads = try config.size("num_attention_heads")
    feedForward = try config.size("intermediate_size")
    epsilon = Float(try config.positive("layer_norm_eps", default: 1e-6))
    queries = try config.size("num_learnable_queries")
    // The released checkpoint has null or 0 here and means 32.
    grid = config.json["grid_size"]?.int == 0 ? 32 : try config.size("grid_size", default: 32)
    guard width % heads == 0 else {
      throw .checkpoint("\(config.place): \(heads) heads do not divide hidden_size \(width)")
    }
  }
}

/// Picture features to Q + 1 rows of the language model: Q learned queries read the features, and
/// a learned end-of-image row follows.
///
/// Letters: Q = queries, S = 1 + grid² features, A = abstractor width, D = language width.
struct VisualAbstractor: Connector {
  private let config: AbstractorConfig
  private let compute: Compute
  private let queries: [Float]
  private let layers: [AbstractorLayer]
  private let projection: Linear
  private let endOfImage: [Float]
  private let languageWidth: Int

  init(
    _ reader: WeightReader, config: AbstractorConfig, languageWidth: Int, compute: Compute
  ) {
    self.config = config
    self.compute = compute
    self.languageWidth = languageWidth
    let name = "model.visual_abstractor"
    queries = reader.values("\(name).query_embeds", shape: [1, config.queries, config.width])
    layers = (0..<config.layers).map {
      AbstractorLayer(reader, "\(name).encoder.layers.\($0).crossattention", config: config)
    }
    projection = reader.linear(
      "\(name).visual_fc", outputs: languageWidth, inputs: config.width, kept: true)
    endOfImage = reader.values("\(name).vit_eos", shape: [1, 1, languageWidth])
  }

  var rows: Int { config.queries + 1 }

  var operations: Double {
    let (queries, width) = (Double(config.queries), Double(config.width))
    let memory = queries + 1 + Double(config.grid * config.grid)
    let products =
      2 * width * width * (2 * queries + 2 * memory)
      + 6 * queries * width * Double(config.feedForward)
    let attention = 4 * queries * memory * width
    return Double(config.layers) * (products + attention)
      + 2 * queries * width * Double(languageWidth)
  }

  func connect(_ features: borrowing Matrix, trace: Trace?) -> Matrix {
    var x = Matrix(rows: config.queries, columns: config.width, queries)
    for (i, layer) in layers.enumerated() {
      x = layer(x, features: features, config, compute)
      trace?.record("abstractor.layer\(i)", x)
    }
    let rows = Matrix(rows: config.queries + 1, columns: languageWidth)
    projection.apply(x, rows: 0..<config.queries, into: rows, at: 0, compute)
    rows.row(config.queries).update(from: endOfImage, count: languageWidth)
    return rows
  }
}

/// Cross-attention from the queries to queries and features, then a gated MLP.
private struct AbstractorLayer: Sendable {
  let queryNorm: LayerNorm
  let featureNorm: LayerNorm
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear
  let mlpNorm: LayerNorm
  let gate: Linear
  let up: Linear
  let innerNorm: LayerNorm
  let down: Linear
  /// Position codes added to queries and keys, [Q, A] and [S, A].
  let queryPositions: [Float]
  let keyPositions: [Float]

  init(_ reader: WeightReader, _ name: String, config: AbstractorConfig) {
    let width = config.width
    queryNorm = LayerNorm(reader, "\(name).norm1", count: width, epsilon: 1e-5)
    featureNorm = LayerNorm(reader, "\(name).normk", count: width, epsilon: 1e-5)
    query = reader.linear("\(name).attention.query", outputs: width, inputs: width, kept: true)
    key = reader.linear("\(name).attention.key", outputs: width, inputs: width, kept: true)
    value = reader.linear("\(name).attention.value", outputs: width, inputs: width, kept: true)
    output = reader.linear("\(name).output.out_proj", outputs: width, inputs: width, kept: true)
    mlpNorm = LayerNorm(reader, "\(name).output.norm2", count: width, epsilon: 1e-5)
    gate = reader.linear(
      "\(name).output.mlp.w1", outputs: config.feedForward, inputs: width, kept: true)
    up = reader.linear(
      "\(name).output.mlp.w3", outputs: config.feedForward, inputs: width, kept: true)
    innerNorm = LayerNorm(
      reader, "\(name).output.mlp.ffn_ln", count: config.feedForward, epsilon: config.epsilon)
    down = reader.linear(
      "\(name).output.mlp.w2", outputs: width, inputs: config.feedForward, kept: true)

    // Stored buffers hold, possibly rounded to half precision; they are computed only if absent.
    let features = 1 + config.grid * config.grid
    queryPositions = reader.buffer(
      "\(name).attention.q_pos_embed", shape: [config.queries, width]
    ) { SinusoidalPositions.line(count: config.queries, width: width) }
    keyPositions = reader.buffer(
      "\(name).attention.k_pos_embed", shape: [features, width]
    ) { SinusoidalPositions.grid(edge: config.grid, width: width) }
  }

  func callAsFunction(
    _ previous: borrowing Matrix, features: borrowing Matrix, _ config: AbstractorConfig,
    _ compute: Compute
  ) -> Matrix {
    // The normalised value replaces x: it is also what the residual carries.
    let x = queryNorm(previous, compute)
    attend(x, features: features, config, compute)
    let normed = mlpNorm(x, compute)
    let hidden = gate(normed, compute)
    up.apply(normed, into: hidden, finish: .siluGate, compute)
    down.apply(innerNorm(hidden, compute), into: x, finish: .add, compute)
    return x
  }

  /// Adds what the queries `x` read from themselves and the features.
  private func attend(
    _ x: borrowing Matrix, features: borrowing Matrix, _ config: AbstractorConfig,
    _ compute: Compute
  ) {
    let width = config.width
    let normed = featureNorm(features, compute)
    let memory = Matrix(rows: x.rows + normed.rows, columns: width)
    memory.values.update(from: x.values, count: x.count)
    memory.row(x.rows).update(from: normed.values, count: normed.count)

    let placed = memory.copy()
    for i in 0..<x.count { placed.values[i] += queryPositions[i] }
    let tail = placed.row(x.rows)
    for i in 0..<normed.count { tail[i] += keyPositions[i] }

    // The first Q rows with positions are also the queries.
    let q = query(placed, rows: 0..<x.rows, compute)
    let k = key(placed, compute)
    let v = value(memory, compute)
    defer {
      extendLifetime(q)
      extendLifetime(k)
      extendLifetime(v)
    }
    let headWidth = width / config.heads
    func layout(_ matrix: borrowing Matrix) -> HeadLayout {
      HeadLayout(matrix.values, rowStride: width, headStride: headWidth)
    }
    let mixed = compute.attend(
      query: layout(q), key: layout(k), value: layout(v), queries: x.rows, keys: memory.rows,
      heads: config.heads, keyHeads: config.heads, width: headWidth,
      scale: 1 / Float(headWidth).squareRoot())
    output.apply(mixed, into: x, finish: .add, compute)
  }
}
