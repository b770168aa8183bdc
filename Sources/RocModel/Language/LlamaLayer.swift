import RocTensor

/// Two sets of weights, for text rows (multiway.0) and for picture rows (multiway.1).
struct Multiway<Weights: Sendable>: Sendable {
  let text: Weights
  let picture: Weights

  init(_ make: (String) -> Weights) {
    text = make("multiway.0")
    picture = make("multiway.1")
  }

  func of(_ kind: RowKind) -> Weights {
    switch kind {
    case .text: text
    case .picture: picture
    }
  }
}

/// One decoder layer of the multiway LLaMA.
struct LlamaLayer: Sendable {
  private let attentionNorm: Multiway<[Float]>
  private let query: Linear
  private let key: Multiway<Linear>
  private let value: Multiway<Linear>
  private let output: Linear
  private let mlpNorm: Multiway<[Float]>
  private let gate: Linear
  private let up: Linear
  private let down: Linear

  init(_ reader: WeightReader, _ name: String, config: LlamaConfig) {
    let width = config.width
    func linear(_ part: String, _ outputs: Int, _ inputs: Int) -> Linear {
      reader.linear("\(name).\(part)", outputs: outputs, inputs: inputs, bias: false)
    }
    attentionNorm = Multiway {
      reader.vector("\(name).input_layernorm.\($0).weight", count: width)
    }
    query = linear("self_attn.q_proj", width, width)
    key = Multiway { linear("self_attn.k_proj.\($0)", config.keyWidth, width) }
    value = Multiway { linear("self_attn.v_proj.\($0)", config.keyWidth, width) }
    output = linear("self_attn.o_proj", width, width)
    mlpNorm = Multiway {
      reader.vector("\(name).post_attention_layernorm.\($0).weight", count: width)
    }
    gate = linear("mlp.gate_proj", config.feedForward, width)
    up = linear("mlp.up_proj", config.feedForward, width)
    down = linear("mlp.down_proj", width, config.feedForward)
    // Saved by transformers 4.31; computed in float32 here.
    reader.ignore("\(name).self_attn.rotary_emb.inv_freq")
  }

  /// Runs the layer and stores keys and values of all rows.
  ///
  /// - Parameters:
  ///   - x: [T, width].
  ///   - kinds: Of the T rows.
  ///   - wanted: How many of the last rows are computed to the end.
  ///   - slot: This layer's keys and values.
  ///   - past: Rows before `x`.
  ///   - positions: Rotations.
  ///   - config: Sizes.
  ///   - compute: Kernels and threads.
  /// - Returns: [wanted, width].
  func callAsFunction(
    _ x: consuming Matrix, kinds: [RowKind], wanted: Int, slot: KeyValueCache.Slot, past: Int,
    positions: borrowing RotaryTable, _ config: LlamaConfig, _ compute: Compute
  ) -> Matrix {
    let normed = norm(x, attentionNorm, kinds, config, compute)
    store(normed, kinds: kinds, slot: slot, past: past, positions: positions, config, compute)
    let first = normed.rows - wanted
    guard wanted > 0 else { return Matrix(rows: 0, columns: config.width) }
    let x = first == 0 ? x : x.copy(rows: first..<normed.rows)
    let mixed = attend(
      normed, from: first, slot: slot, past: past, positions: positions, config, compute)
    output.apply(mixed, into: x, finish: .add, compute)
    let inner = norm(x, mlpNorm, kinds.suffix(rows: wanted), config, compute)
    let hidden = gate(inner, compute)
    up.apply(inner, into: hidden, finish: .siluGate, compute)
    down.apply(hidden, into: x, finish: .add, compute)
    return x
  }

  private func norm(
    _ x: borrowing Matrix, _ weights: Multiway<[Float]>, _ kinds: [RowKind],
    _ config: LlamaConfig, _ compute: Compute
  ) -> Matrix {
    compute.rmsNorm(
      x, weights: kinds.map { (rows: $0.count, vector: weights.of($0)) },
      epsilon: config.epsilon)
  }

  /// Adds keys and values of the rows to the cache.
  private func store(
    _ x: borrowing Matrix, kinds: [RowKind], slot: KeyValueCache.Slot, past: Int,
    positions: borrowing RotaryTable, _ config: LlamaConfig, _ compute: Compute
  ) {
    let k = Matrix(uninitialized: x.rows, config.keyWidth)
    let v = Matrix(uninitialized: x.rows, config.keyWidth)
    var start = 0
    for kind in kinds {
      let rows = start..<start + kind.count
      key.of(kind).apply(x, rows: rows, into: k, at: start, compute)
      value.of(kind).apply(x, rows: rows, into: v, at: start, compute)
      start = rows.upperBound
    }
    compute.rotate(k, heads: config.keyHeads, positions: positions, first: past)
    guard x.rows > 0 else { return }
    slot.layer.keys.row(past).update(from: k.values, count: k.count)
    slot.layer.values.row(past).update(from: v.values, count: v.count)
  }

  /// What the rows from `first` on read from all rows up to themselves.
  private func attend(
    _ x: borrowing Matrix, from first: Int, slot: KeyValueCache.Slot, past: Int,
    positions: borrowing RotaryTable, _ config: LlamaConfig, _ compute: Compute
  ) -> Matrix {
    let q = query(x, rows: first..<x.rows, compute)
    compute.rotate(q, heads: config.heads, positions: positions, first: past + first)
    defer { extendLifetime(q) }
    let width = config.headWidth
    func layout(_ values: UnsafeMutablePointer<Float>, _ stride: Int) -> HeadLayout {
      HeadLayout(values, rowStride: stride, headStride: width)
    }
    return compute.attend(
      query: layout(q.values, config.width),
      key: layout(slot.layer.keys.values, config.keyWidth),
      value: layout(slot.layer.values.values, config.keyWidth),
      queries: q.rows, keys: past + x.rows, heads: config.heads, keyHeads: config.keyHeads,
      width: width, scale: 1 / Float(width).squareRoot(), firstVisible: past + first + 1)
  }
}

extension [RowKind] {
  /// The kinds of the last `rows` rows.
  fileprivate func suffix(rows: Int) -> [RowKind] {
    var left = rows
    var kinds: [RowKind] = []
    for kind in reversed() where left > 0 {
      kinds.insert(kind.resized(to: Swift.min(kind.count, left)), at: 0)
      left -= kind.count
    }
    return kinds
  }
}

extension RowKind {
  fileprivate func resized(to count: Int) -> RowKind {
    switch self {
    case .text: .text(count)
    case .picture: .picture(count)
    }
  }
}
