import RocJSON
import RocTensor

/// Sizes and names of a LLaMA decoder.
struct LlamaSettings: Sendable {
  /// What its tensors are called.
  struct Names: Sendable {
    let embeddings: String
    /// What stands before the number of a layer.
    let layers: String
    let norm: String
    /// Without `.weight`.
    let head: String
  }

  /// The names of weights that exist twice, for rows of text and of pictures.
  struct MultiwayNames: Sendable {
    let text: @Sendable (String) -> String
    let picture: @Sendable (String) -> String
  }

  let names: Names
  /// Nil where all rows have the same weights.
  let multiway: MultiwayNames?
  let width: Int
  let layers: Int
  let heads: Int
  let keyHeads: Int
  let feedForward: Int
  let vocabulary: Int
  let epsilon: Float
  let rotary: RotarySettings
  let maxPositions: Int
  /// Whether the head's weights are those of the embeddings.
  var isTied = false
  /// Whether queries, keys and values have biases, as in Qwen2.
  let hasProjectionBias: Bool

  /// The sizes on one line.
  var summary: String {
    """
    \(layers) layers, width \(width), \(heads) heads, \(keyHeads) key/value heads, MLP \
    \(feedForward), vocabulary \(vocabulary), \(maxPositions) positions
    """
  }

  var headWidth: Int { width / heads }
  var keyWidth: Int { keyHeads * headWidth }

  /// - Parameters:
  ///   - config: Of the decoder.
  ///   - names: What its tensors are called.
  ///   - family: Values for what a configuration leaves out.
  ///   - multiway: The names of what exists twice.
  ///   - vocabulary: Rows of embeddings and head where an adapter brings a number other than
  ///     config.json's.
  /// - Throws: `ModelError.checkpoint` for an invalid size, and for a key that asks for a
  ///   computation other than this one.
  init(
    _ config: ConfigReader, names: Names, family: LlamaFamily = .owl2,
    multiway: MultiwayNames? = nil, vocabulary: Int? = nil
  ) throws(ModelError) {
    let defaults = family.defaults
    self.names = names
    self.multiway = multiway
    hasProjectionBias = family.hasProjectionBias
    width = try config.size("hidden_size", default: defaults?.width)
    layers = try config.size("num_hidden_layers", most: 1024, default: defaults?.layers)
    heads = try config.size("num_attention_heads", default: defaults?.heads)
    keyHeads = try config.size("num_key_value_heads", default: defaults?.keyHeads ?? heads)
    feedForward = try config.size("intermediate_size", default: defaults?.feedForward)
    let stated = try config.size("vocab_size", most: 1 << 20, default: defaults?.vocabulary)
    self.vocabulary = vocabulary ?? stated
    epsilon = Float(
      try config.positive("rms_norm_eps", default: family.epsilon, within: ConfigReader.epsilons))
    rotary = try RotarySettings(config, theta: family.theta, hasSections: family.hasSections)
    maxPositions = try config.size("max_position_embeddings", default: family.maxPositions)
    if let sections = rotary.sections, sections.reduce(0, +) != width / heads / 2 {
      throw .checkpoint(
        """
        \(config.place): mrope_section \(sections) does not add up to half a head of \
        \(width / heads)
        """)
    }
    guard width % heads == 0, (width / heads) % 2 == 0, heads % keyHeads == 0 else {
      throw .checkpoint(
        """
        \(config.place): hidden_size \(width), num_attention_heads \(heads) and \
        num_key_value_heads \(keyHeads) do not divide each other into even heads
        """)
    }
    try Self.checkComputation(config, family, headWidth: width / heads)
  }

  /// Refuses keys that ask for what is not computed here: passed over, they would silently change
  /// scores.
  private static func checkComputation(
    _ config: ConfigReader, _ family: LlamaFamily, headWidth: Int
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
      json["use_sliding_window"]?.bool ?? family.slidesUnlessTold
    {
      throw refuse("sliding_window", "expected null: all rows are attended to")
    }
    if let quantised = json["quantization_config"], !quantised.isNull {
      throw refuse(
        "quantization_config", "expected the original weights; --precision int8 rounds them here")
    }
    // A later version's key for another rotation would silently change every score.
    let rotation = ["rope_theta", "rope_scaling", "rope_parameters"]
    for member in json.members ?? [] where !member.value.isNull && !rotation.contains(member.name) {
      if member.name.hasPrefix("rope_") || member.name.hasSuffix("_scaling") {
        throw refuse(member.name, "no such key is known here; if it changes nothing, remove it")
      }
    }
    for key in ["final_logit_softcapping", "attn_logit_softcapping"] {
      if let cap = json[key], !cap.isNull { throw refuse(key, "expected null") }
    }
  }
}

/// A LLaMA decoder, causal over all rows.
struct LlamaDecoder: LanguageModel {
  private let settings: LlamaSettings
  private let compute: Compute
  private let embeddings: EmbeddingTable
  private let layers: [LlamaLayer]
  private let finalNorm: Parameter
  private let head: Linear
  /// Of every position that a row of text may have, on all axes alike.
  private let rotations: Rotations
  private let trains: Bool

  init(_ reader: WeightReader, _ settings: LlamaSettings, _ compute: Compute) {
    self.settings = settings
    self.compute = compute
    let (rows, width) = (settings.vocabulary, settings.width)
    let tied =
      settings.isTied && reader.isTrained(settings.names.embeddings)
      ? reader.linear(
        Self.module(settings.names.embeddings), outputs: rows, inputs: width, bias: false,
        kept: true) : nil
    if tied != nil { reader.ignore("\(settings.names.head).weight") }
    // One parameter with the gradients of both uses, as transformers trains tied tables.
    embeddings =
      tied?.weights?.parameter.map { EmbeddingTable(trained: $0, rows: rows, columns: width) }
      ?? (tied == nil
        ? reader.table(settings.names.embeddings, rows: rows, columns: width)
        : EmbeddingTable(weights: nil, rows: rows, columns: width))
    layers = (0..<settings.layers).map { LlamaLayer(reader, $0, settings) }
    finalNorm = reader.vector(settings.names.norm, count: settings.width)
    head =
      tied
      ?? reader.linear(
        settings.names.head, outputs: rows, inputs: width, bias: false, kept: true)
    trains = reader.trains
    rotations = Rotations(
      RotaryTable(
        positions: reader.isChecking ? 0 : settings.maxPositions, width: settings.headWidth,
        theta: settings.rotary.theta, factor: settings.rotary.factor, compute),
      trains: trains, compute)
  }

  /// A tensor's name without `.weight`.
  private static func module(_ name: String) -> String {
    name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
  }

  var maxPositions: Int { settings.maxPositions }
  var vocabulary: Int { settings.vocabulary }

  func makeCache(rows: Int) -> KeyValueCache {
    KeyValueCache(layers: settings.layers, width: settings.keyWidth, rows: rows, compute)
  }

  func embed(_ ids: [Int]) -> Matrix { embeddings(ids, compute) }

  /// What each sequence adds; its cache gets room for it.
  private func pass(_ batch: [SequenceRows], wantsAll: Bool) -> [LlamaLayer.SequencePass] {
    var start = 0
    return batch.map { sequence in
      let rows = start..<start + sequence.count
      start = rows.upperBound
      sequence.cache.reserve(rows.count)
      return LlamaLayer.SequencePass(
        rows: rows, kinds: sequence.kinds, turns: turns(sequence), past: sequence.cache.count,
        wanted: wantsAll ? rows.count : sequence.wanted, cache: sequence.cache)
    }
  }

  /// Where the rows of a sequence are placed: on a line, or with pictures as grids.
  private func turns(_ sequence: SequenceRows) -> [LlamaLayer.Turn] {
    guard let sections = settings.rotary.sections else {
      return [
        LlamaLayer.Turn(
          count: sequence.count, rotations: rotations, first: sequence.cache.count)
      ]
    }
    var position = sequence.cache.nextPosition
    return sequence.kinds.map { kind in
      defer { position += kind.positions }
      guard case .picture(let count, let grid?) = kind else {
        return LlamaLayer.Turn(count: kind.count, rotations: rotations, first: position)
      }
      let places = (0..<count).map { place in
        [position, position + place / grid.columns, position + place % grid.columns]
      }
      let table = RotaryTable(
        positions: places,
        frequencies: RotaryTable.frequencies(
          width: settings.headWidth, theta: settings.rotary.theta),
        axes: sections.enumerated().flatMap { [Int](repeating: $0, count: $1) }, compute)
      return LlamaLayer.Turn(
        count: count, rotations: Rotations(table, trains: trains, compute), first: 0)
    }
  }

  func run(
    _ rows: consuming Matrix, _ batch: [SequenceRows], trace: Trace?, tape: Tape?
  ) -> Matrix {
    precondition(
      batch.reduce(0) { $0 + $1.count } == rows.rows, "other sequences than \(rows.rows) rows")
    precondition(
      tape == nil || (batch.count == 1 && batch[0].cache.count == 0),
      "a derivative of \(batch.count) sequences, or over earlier rows")
    var x = rows
    let whole = pass(batch, wantsAll: true)
    // Of the last layer's other rows, only keys and values are ever used.
    let last = trace == nil ? pass(batch, wantsAll: false) : whole
    for (i, layer) in layers.enumerated() {
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(
        x, i == layers.count - 1 ? last : whole, compute,
        tape: tape?.recomputes == true ? nil : tape)
      trace?.record("llama.layer\(i)", x)
    }
    for sequence in batch {
      // Span by span: a cache may later be cut anywhere after a picture.
      for kind in sequence.kinds {
        sequence.cache.advance(
          kind.count, positions: settings.rotary.sections == nil ? kind.count : kind.positions)
      }
    }
    let hidden = compute.rmsNorm(
      x, weights: [(rows: x.rows, vector: finalNorm)], epsilon: settings.epsilon)
    trace?.record("llama.final", hidden)
    tape?.push(PassRecord(whole: whole[0], last: last[0], x: x))
    return trace == nil ? hidden : wantedRows(hidden, whole, batch)
  }

  /// The wanted rows where all were computed.
  private func wantedRows(
    _ hidden: borrowing Matrix, _ pass: [LlamaLayer.SequencePass], _ batch: [SequenceRows]
  ) -> Matrix {
    let result = compute.matrix(batch.reduce(0) { $0 + $1.wanted }, settings.width)
    var start = 0
    for (stretch, sequence) in zip(pass, batch) {
      let end = stretch.rows.upperBound
      compute.copy(hidden, rows: end - sequence.wanted..<end, into: result, at: start)
      start += sequence.wanted
    }
    return result
  }

  func firstLayer(_ rows: consuming Matrix, _ sequence: SequenceRows) -> Matrix {
    layers[0](rows, pass([sequence], wantsAll: true), compute, tape: nil)
  }

  /// What a pass leaves beside its layers' records.
  private final class PassRecord {
    /// The sequence in all layers but the last one, and in the last one.
    let whole: LlamaLayer.SequencePass
    let last: LlamaLayer.SequencePass
    /// [read, width]: the last layer's result.
    let x: Matrix

    init(whole: LlamaLayer.SequencePass, last: LlamaLayer.SequencePass, x: consuming Matrix) {
      self.whole = whole
      self.last = last
      self.x = x
    }
  }

  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix {
    let record = tape.pop(PassRecord.self)
    precondition(gradient.rows == record.x.rows, "a gradient of \(gradient.rows) rows")
    var d = compute.zeros(gradient.rows, settings.width)
    compute.normGradient(
      gradient, of: record.x, NormParameters(weight: finalNorm, epsilon: settings.epsilon),
      into: d)
    for (i, layer) in layers.enumerated().reversed() {
      let pass = i == layers.count - 1 ? record.last : record.whole
      let inner: Tape
      if tape.recomputes {
        inner = Tape()
        _ = layer(tape.pop(LayerInput.self).x.copy(), [pass], compute, tape: inner)
      } else {
        inner = tape
      }
      d = layer.backward(d, record: inner.pop(), pass, compute)
    }
    return d
  }

  func embedBackward(_ gradient: borrowing Matrix, ids: [Int]) {
    embeddings.addGradient(gradient, at: ids)
  }

  func logits(_ hidden: borrowing Matrix) -> Matrix { head(hidden, compute) }

  func logitsBackward(_ gradient: borrowing Matrix, of hidden: borrowing Matrix) -> Matrix {
    let d = compute.matrix(hidden.rows, hidden.columns)
    head.backward(gradient, of: hidden, into: d, compute)
    return d
  }

  func operations(rows: Int) -> Double {
    let (keys, others) = rowOperations
    // The last layer computes more than keys and values only for the row that is read.
    return Double(rows) * (Double(settings.layers) * keys + Double(settings.layers - 1) * others)
      + others + 2 * Double(settings.width * settings.vocabulary)
  }

  func layerOperations(rows: Int) -> Double {
    Double(rows) * (rowOperations.keys + rowOperations.others)
  }

  /// Of a row in one layer: keys and values, and everything else.
  private var rowOperations: (keys: Double, others: Double) {
    let width = Double(settings.width)
    return (
      4 * width * Double(settings.keyWidth),
      4 * width * width + 6 * width * Double(settings.feedForward)
    )
  }
}
