import RocJSON
import RocTensor

/// Sizes of the language model, the top level of config.json.
struct LlamaConfig: Sendable {
  let width: Int
  let layers: Int
  let heads: Int
  let keyHeads: Int
  let feedForward: Int
  let vocabulary: Int
  let epsilon: Float
  let ropeTheta: Float
  let mostPositions: Int

  var headWidth: Int { width / heads }
  var keyWidth: Int { keyHeads * headWidth }

  init(_ config: ConfigReader) throws(ModelError) {
    width = try config.size("hidden_size")
    layers = try config.size("num_hidden_layers", most: 1024)
    heads = try config.size("num_attention_heads")
    keyHeads = try config.size("num_key_value_heads", default: heads)
    feedForward = try config.size("intermediate_size")
    vocabulary = try config.size("vocab_size", most: 1 << 20)
    epsilon = Float(try config.positive("rms_norm_eps", default: 1e-6))
    ropeTheta = Float(try config.positive("rope_theta", default: 10_000))
    mostPositions = try config.size("max_position_embeddings", default: 2048)
    guard width % heads == 0, (width / heads) % 2 == 0, heads % keyHeads == 0 else {
      throw .checkpoint(
        """
        \(config.place): hidden_size \(width), num_attention_heads \(heads) and \
        num_key_value_heads \(keyHeads) do not divide each other into even heads
        """)
    }
    if let scaling = config.json["rope_scaling"], !scaling.isNull {
      throw .checkpoint("\(config.place): rope_scaling \(scaling.line) is not supported")
    }
    if config.json["attention_bias"]?.bool == true {
      throw .checkpoint("\(config.place): attention_bias true is not supported")
    }
  }
}

/// LLaMA-2 whose key and value projections and norms exist twice: for text rows and picture rows.
struct MultiwayLlama: LanguageModel {
  private let config: LlamaConfig
  private let compute: Compute
  private let embeddings: EmbeddingTable
  private let layers: [LlamaLayer]
  private let finalNorm: [Float]
  private let head: Linear
  private let positions: Positions

  /// The rotary table behind a reference, shared by copies of the model.
  private final class Positions: Sendable {
    let table: RotaryTable

    init(_ config: LlamaConfig, count: Int) {
      table = RotaryTable(
        positions: count, width: config.headWidth, theta: config.ropeTheta)
    }
  }

  init(_ reader: WeightReader, config: LlamaConfig, compute: Compute) {
    self.config = config
    self.compute = compute
    embeddings = reader.table(
      "model.embed_tokens.weight", rows: config.vocabulary, columns: config.width)
    layers = (0..<config.layers).map {
      LlamaLayer(reader, "model.layers.\($0)", config: config)
    }
    finalNorm = reader.vector("model.norm.weight", count: config.width)
    head = reader.linear(
      "lm_head", outputs: config.vocabulary, inputs: config.width, bias: false)
    positions = Positions(config, count: reader.isChecking ? 0 : config.mostPositions)
  }

  var mostPositions: Int { config.mostPositions }
  var vocabulary: Int { config.vocabulary }

  func makeCache() -> KeyValueCache {
    KeyValueCache(layers: config.layers, width: config.keyWidth)
  }

  func embed(_ ids: [Int]) -> Matrix { embeddings(ids) }

  func run(
    _ rows: consuming Matrix, kinds: [RowKind], cache: KeyValueCache, trace: Trace?
  ) -> Matrix {
    precondition(
      kinds.reduce(0) { $0 + $1.count } == rows.rows, "kinds \(kinds) for \(rows.rows) rows")
    var x = rows
    cache.reserve(x.rows)
    for (i, layer) in layers.enumerated() {
      x = layer(
        x, kinds: kinds, slot: cache.slots[i], past: cache.count, positions: positions.table,
        config, compute)
      trace?.record("llama.layer\(i)", x)
    }
    cache.advance(x.rows)
    let hidden = compute.rmsNorm(x, epsilon: config.epsilon) { _ in finalNorm }
    trace?.record("llama.final", hidden)
    return hidden
  }

  func logits(_ hidden: borrowing Matrix, row: Int) -> [Float] {
    head(hidden, rows: row..<row + 1, compute).array
  }
}
