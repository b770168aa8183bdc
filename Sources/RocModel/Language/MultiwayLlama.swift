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
  let rotary: RotarySettings
  let mostPositions: Int
  /// The head's weights are those of the embeddings.
  let isTied: Bool

  var headWidth: Int { width / heads }
  var keyWidth: Int { keyHeads * headWidth }

  /// - Parameters:
  ///   - config: config.json.
  ///   - vocabulary: Rows of embeddings and head where an adapter brings others than config.json
  ///     says.
  /// - Throws: `ModelError.checkpoint` for a size that is no size, and for a key that asks for
  ///   another computation than this one.
  init(_ config: ConfigReader, vocabulary: Int? = nil) throws(ModelError) {
    width = try config.size("hidden_size")
    layers = try config.size("num_hidden_layers", most: 1024)
    heads = try config.size("num_attention_heads")
    keyHeads = try config.size("num_key_value_heads", default: heads)
    feedForward = try config.size("intermediate_size")
    let stated = try config.size("vocab_size", most: 1 << 20)
    self.vocabulary = vocabulary ?? stated
    epsilon = Float(try config.positive("rms_norm_eps", default: 1e-6))
    rotary = try RotarySettings(config)
    isTied = config.json["tie_word_embeddings"]?.bool == true
    mostPositions = try config.size("max_position_embeddings", default: 2048)
    guard width % heads == 0, (width / heads) % 2 == 0, heads % keyHeads == 0 else {
      throw .checkpoint(
        """
        \(config.place): hidden_size \(width), num_attention_heads \(heads) and \
        num_key_value_heads \(keyHeads) do not divide each other into even heads
        """)
    }
    try Self.checkComputation(config, headWidth: width / heads)
  }

  /// Refuses keys that ask for what is not computed here: passed over, they would change scores in
  /// silence.
  private static func checkComputation(
    _ config: ConfigReader, headWidth: Int
  ) throws(ModelError) {
    let json = config.json
    func refuse(_ key: String, _ expected: String) -> ModelError {
      .checkpoint(
        "\(config.place): \(key) \(json[key]?.line.prefix(60) ?? "") is not supported, \(expected)")
    }
    for key in ["attention_bias", "mlp_bias"] where json[key]?.bool == true {
      throw refuse(key, "expected false")
    }
    if let act = json["hidden_act"], !act.isNull, !["silu", "swish"].contains(act.string) {
      throw refuse("hidden_act", "expected silu")
    }
    if let own = json["head_dim"], !own.isNull, own.int != headWidth {
      throw refuse("head_dim", "expected hidden_size / num_attention_heads, \(headWidth)")
    }
    if let factor = json["partial_rotary_factor"], !factor.isNull, factor.double != 1 {
      throw refuse("partial_rotary_factor", "expected 1")
    }
    if let window = json["sliding_window"], !window.isNull,
      json["use_sliding_window"]?.bool != false
    {
      throw refuse("sliding_window", "expected null: all rows are attended to")
    }
    if let quantised = json["quantization_config"], !quantised.isNull {
      throw refuse(
        "quantization_config", "expected the original weights; --precision int8 rounds them here")
    }
    for key in ["final_logit_softcapping", "attn_logit_softcapping"] {
      if let cap = json[key], !cap.isNull { throw refuse(key, "expected null") }
    }
  }
}

/// LLaMA-2 whose key and value projections and norms exist twice: for text rows and picture rows.
struct MultiwayLlama: LanguageModel {
  private let config: LlamaConfig
  private let compute: Compute
  private let embeddings: EmbeddingTable
  private let layers: [LlamaLayer]
  private let finalNorm: Parameter
  private let head: Linear
  private let positions: Positions

  /// The rotary table behind a reference, shared by copies of the model.
  private final class Positions: Sendable {
    let table: RotaryTable
    /// Rotations back, for derivatives; empty unless something is trained.
    let reversed: RotaryTable

    init(_ config: LlamaConfig, count: Int, trains: Bool) {
      table = RotaryTable(
        positions: count, width: config.headWidth, theta: config.rotary.theta,
        factor: config.rotary.factor)
      reversed =
        trains
        ? table.reversed : RotaryTable(positions: 0, width: config.headWidth, theta: 1)
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
      "lm_head", outputs: config.vocabulary, inputs: config.width, bias: false, kept: true)
    positions = Positions(
      config, count: reader.isChecking ? 0 : config.mostPositions, trains: reader.trains)
  }

  var mostPositions: Int { config.mostPositions }
  var vocabulary: Int { config.vocabulary }

  func makeCache(rows: Int) -> KeyValueCache {
    KeyValueCache(layers: config.layers, width: config.keyWidth, rows: rows)
  }

  func embed(_ ids: [Int]) -> Matrix { embeddings(ids) }

  func run(
    _ rows: consuming Matrix, kinds: [RowKind], cache: KeyValueCache, read: Int, trace: Trace?,
    tape: Tape?
  ) -> Matrix {
    precondition(
      kinds.reduce(0) { $0 + $1.count } == rows.rows, "kinds \(kinds) for \(rows.rows) rows")
    precondition(tape == nil || cache.count == 0, "a derivative over \(cache.count) earlier rows")
    var x = rows
    cache.reserve(x.rows)
    let count = x.rows
    let pass = LlamaLayer.Pass(kinds: kinds, past: cache.count, hidden: cache.hidden)
    for (i, layer) in layers.enumerated() {
      // Only keys and values of the last layer's other rows are ever used.
      let wanted = i == layers.count - 1 && trace == nil ? read : count
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(
        x, pass: pass, wanted: wanted, slot: cache.slots[i], positions: positions.table, config,
        compute, tape: tape?.recomputes == true ? nil : tape)
      trace?.record("llama.layer\(i)", x)
    }
    cache.advance(count)
    let hidden = compute.rmsNorm(
      x, weights: [(rows: x.rows, vector: finalNorm)], epsilon: config.epsilon)
    trace?.record("llama.final", hidden)
    tape?.push(PassRecord(pass, cache: cache, x: x))
    return hidden.rows == read ? hidden : hidden.copy(rows: hidden.rows - read..<hidden.rows)
  }

  func firstLayer(_ rows: consuming Matrix, kinds: [RowKind], cache: KeyValueCache) -> Matrix {
    cache.reserve(rows.rows)
    let count = rows.rows
    let pass = LlamaLayer.Pass(kinds: kinds, past: cache.count, hidden: cache.hidden)
    return layers[0](
      rows, pass: pass, wanted: count, slot: cache.slots[0], positions: positions.table, config,
      compute, tape: nil)
  }

  /// What a pass leaves beside its layers' records.
  private final class PassRecord {
    let pass: LlamaLayer.Pass
    let cache: KeyValueCache
    /// [read, width]: the last layer's result.
    let x: Matrix

    init(_ pass: LlamaLayer.Pass, cache: KeyValueCache, x: consuming Matrix) {
      self.pass = pass
      self.cache = cache
      self.x = x
    }
  }

  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix {
    let record = tape.pop(PassRecord.self)
    precondition(gradient.rows == record.x.rows, "a gradient of \(gradient.rows) rows")
    var d = Matrix(rows: gradient.rows, columns: config.width)
    compute.normGradient(
      gradient, of: record.x, weight: finalNorm, bias: nil, epsilon: config.epsilon, into: d)
    for (i, layer) in layers.enumerated().reversed() {
      let inner: Tape
      if tape.recomputes {
        inner = Tape()
        _ = layer(
          tape.pop(LayerInput.self).x.copy(), pass: record.pass, wanted: d.rows,
          slot: record.cache.slots[i], positions: positions.table, config, compute, tape: inner)
      } else {
        inner = tape
      }
      d = layer.backward(
        d, record: inner.pop(), pass: record.pass, slot: record.cache.slots[i],
        rotations: positions.reversed, config, compute)
    }
    return d
  }

  func embedBackward(_ gradient: borrowing Matrix, ids: [Int]) {
    embeddings.parameter?.addToGradient(gradient, at: ids)
  }

  func logits(_ hidden: borrowing Matrix) -> Matrix { head(hidden, compute) }

  func logitsBackward(_ gradient: borrowing Matrix, of hidden: borrowing Matrix) -> Matrix {
    let d = Matrix(uninitialized: hidden.rows, hidden.columns)
    head.backward(gradient, of: hidden, into: d, compute)
    return d
  }

  func operations(rows: Int) -> Double {
    let (keys, others) = rowOperations
    // The last layer computes more than keys and values only for the row that is read.
    return Double(rows) * (Double(config.layers) * keys + Double(config.layers - 1) * others)
      + others + 2 * Double(config.width * config.vocabulary)
  }

  func layerOperations(rows: Int) -> Double {
    Double(rows) * (rowOperations.keys + rowOperations.others)
  }

  /// Of a row in one layer: keys and values, and everything else.
  private var rowOperations: (keys: Double, others: Double) {
    let width = Double(config.width)
    return (
      4 * width * Double(config.keyWidth),
      4 * width * width + 6 * width * Double(config.feedForward)
    )
  }
}
