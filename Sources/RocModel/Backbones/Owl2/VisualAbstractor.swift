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

  /// Rows of a picture: the queries and the end-of-picture row.
  var rows: Int { queries + 1 }

  init(_ config: ConfigReader) throws(ModelError) {
    width = try config.size("hidden_size")
    layers = try config.size("num_hidden_layers", most: 1024)
    heads = try config.size("num_attention_heads")
    feedForward = try config.size("intermediate_size")
    epsilon = Float(
      try config.positive("layer_norm_eps", default: 1e-6, within: ConfigReader.epsilons))
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
  let isTrained: Bool
  private let config: AbstractorConfig
  private let compute: Compute
  private let queries: Parameter
  private let layers: [AbstractorLayer]
  private let projection: Linear
  private let endOfImage: Parameter
  private let languageWidth: Int

  init(
    _ reader: WeightReader, config: AbstractorConfig, languageWidth: Int, compute: Compute
  ) {
    let trained = reader.trained.count
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
    isTrained = reader.trained.count > trained
  }

  func operations(_ features: borrowing PictureRows) -> Double {
    let (queries, width) = (Double(config.queries), Double(config.width))
    let memory = queries + 1 + Double(config.grid * config.grid)
    let products =
      2 * width * width * (2 * queries + 2 * memory)
      + 6 * queries * width * Double(config.feedForward)
    let attention = 4 * queries * memory * width
    let picture =
      Double(config.layers) * (products + attention)
      + 2 * queries * width * Double(languageWidth)
    return Double(features.counts.count) * picture
  }

  func connect(
    _ features: borrowing PictureRows, trace: Trace?, tape: Tape?
  ) -> PictureRows {
    let pictures = features.counts.indices
    precondition(tape == nil || pictures.count == 1, "a derivative of \(pictures.count) pictures")
    var x = compute.matrix(pictures.count * config.queries, config.width)
    for place in pictures { compute.copy(queries, into: x, at: place * config.queries) }
    if let tape { tape.push(LayerInput(features.matrix.copy())) }
    for (i, layer) in layers.enumerated() {
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(x, features: features, compute, tape: tape?.recomputes == true ? nil : tape)
      trace?.record("abstractor.layer\(i)", x)
    }
    let rows = compute.matrix(pictures.count * config.rows, languageWidth)
    for place in pictures {
      projection.apply(
        x, rows: place * config.queries..<(place + 1) * config.queries, into: rows,
        at: place * config.rows, compute)
      compute.copy(endOfImage, into: rows, at: place * config.rows + config.queries)
    }
    tape?.push(LayerInput(x))
    return PictureRows(rows, counts: pictures.map { _ in config.rows })
  }

  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix {
    compute.add(gradient.copy(rows: config.queries..<config.queries + 1), to: endOfImage)
    var d = compute.matrix(config.queries, config.width)
    projection.backward(
      gradient, rows: 0..<config.queries, of: tape.pop(LayerInput.self).x, into: d, compute)
    // On the tape, the layers' inputs and records lie above the features that all of them read.
    let dFeatures = compute.zeros(config.grid * config.grid + 1, config.width)
    if tape.recomputes {
      let inputs = layers.indices.map { _ in tape.pop(LayerInput.self) }
      let features = tape.pop(LayerInput.self)
      for (layer, input) in zip(layers.reversed(), inputs) {
        let inner = Tape()
        let rows = PictureRows(features.x.copy(), counts: [features.x.rows])
        _ = layer(input.x, features: rows, compute, tape: inner)
        d = layer.backward(
          d, features: features.x, into: dFeatures, compute, record: inner.pop())
      }
    } else {
      let records = layers.indices.map { _ in tape.pop(AbstractorLayer.Record.self) }
      let features = tape.pop(LayerInput.self)
      for (layer, record) in zip(layers.reversed(), records) {
        d = layer.backward(
          d, features: features.x, into: dFeatures, compute, record: record)
      }
    }
    compute.add(d, to: queries)
    return dFeatures
  }
}
