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
  private let attentionNorm: Multiway<Parameter>
  private let query: Linear
  private let key: Multiway<Linear>
  private let value: Multiway<Linear>
  private let output: Linear
  private let mlpNorm: Multiway<Parameter>
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

  /// What the forward pass leaves; letters: T = rows, W = wanted rows, D = width.
  final class Record {
    /// [T, D]: the input and its norm.
    let input: Matrix
    let normed: Matrix
    /// [W, D]: queries, rotated, and what attention mixed.
    let query: Matrix
    let mixed: Matrix
    /// [W, D]: after attention, and its norm.
    let middle: Matrix
    let middleNormed: Matrix
    /// [W, feed forward].
    let gate: Matrix
    let up: Matrix
    let hidden: Matrix

    init(
      input: consuming Matrix, normed: consuming Matrix, query: consuming Matrix,
      mixed: consuming Matrix, middle: consuming Matrix, middleNormed: consuming Matrix,
      gate: consuming Matrix, up: consuming Matrix, hidden: consuming Matrix
    ) {
      self.input = input
      self.normed = normed
      self.query = query
      self.mixed = mixed
      self.middle = middle
      self.middleNormed = middleNormed
      self.gate = gate
      self.up = up
      self.hidden = hidden
    }
  }

  /// What the rows of a pass have in common.
  struct Pass {
    /// Of the T rows.
    let kinds: [RowKind]
    /// Rows before these.
    let past: Int
    /// Keys that no row sees; empty when none is hidden.
    let hidden: [UInt8]
  }

  /// Runs the layer and stores keys and values of all rows.
  ///
  /// - Parameters:
  ///   - x: [T, width].
  ///   - pass: The T rows.
  ///   - wanted: How many of the last rows are computed to the end.
  ///   - slot: This layer's keys and values.
  ///   - positions: Rotations.
  ///   - config: Sizes.
  ///   - compute: Kernels and threads.
  ///   - tape: Keeps what `backward` needs when given.
  /// - Returns: [wanted, width].
  func callAsFunction(
    _ x: consuming Matrix, pass: Pass, wanted: Int, slot: KeyValueCache.Slot,
    positions: borrowing RotaryTable, _ config: LlamaConfig, _ compute: Compute, tape: Tape?
  ) -> Matrix {
    let normed = norm(x, attentionNorm, pass.kinds, config, compute)
    store(normed, pass: pass, slot: slot, positions: positions, config, compute)
    let first = normed.rows - wanted
    guard wanted > 0 else { return Matrix(rows: 0, columns: config.width) }
    let q = query(normed, rows: first..<normed.rows, compute)
    compute.rotate(q, heads: config.heads, positions: positions, first: pass.past + first)
    let mixed = compute.attend(
      query: layout(q.values, config.width, config),
      key: layout(slot.layer.keys.values, config.keyWidth, config),
      value: layout(slot.layer.values.values, config.keyWidth, config),
      shape: shape(queries: wanted, rows: normed.rows, pass, config))
    extendLifetime(q)
    let kinds = pass.kinds.suffix(rows: wanted)
    guard let tape else {
      let x = first == 0 ? x : x.copy(rows: first..<normed.rows)
      output.apply(mixed, into: x, finish: .add, compute)
      let inner = norm(x, mlpNorm, kinds, config, compute)
      let hidden = gate(inner, compute)
      up.apply(inner, into: hidden, finish: .siluGate, compute)
      down.apply(hidden, into: x, finish: .add, compute)
      return x
    }
    let middle = x.copy(rows: first..<normed.rows)
    output.apply(mixed, into: middle, finish: .add, compute)
    let inner = norm(middle, mlpNorm, kinds, config, compute)
    let gated = gate(inner, compute)
    let raised = up(inner, compute)
    let hidden = compute.siluGate(gated, raised)
    let result = middle.copy()
    down.apply(hidden, into: result, finish: .add, compute)
    tape.push(
      Record(
        input: x, normed: normed, query: q, mixed: mixed, middle: middle, middleNormed: inner,
        gate: gated, up: raised, hidden: hidden))
    return result
  }

  /// Turns the gradient of the result, [W, D], into that of the layer's input, [T, D].
  ///
  /// - Parameters:
  ///   - gradient: [W, D].
  ///   - record: What the forward pass left.
  ///   - pass: As in the forward pass.
  ///   - slot: Keys and values of all rows.
  ///   - rotations: The reversed positions.
  ///   - config: Sizes.
  ///   - compute: Kernels and threads.
  /// - Returns: [T, D].
  func backward(
    _ gradient: consuming Matrix, record: Record, pass: Pass, slot: KeyValueCache.Slot,
    rotations: borrowing RotaryTable, _ config: LlamaConfig, _ compute: Compute
  ) -> Matrix {
    let (rows, wanted, width) = (record.input.rows, gradient.rows, config.width)
    let first = rows - wanted
    let dHidden = Matrix(uninitialized: wanted, config.feedForward)
    down.backward(gradient, of: record.hidden, into: dHidden, compute)
    compute.siluGateGradient(dHidden, of: record.gate, record.up)
    let dMixed = Matrix(uninitialized: wanted, width)
    gate.backward(record.gate, of: record.middleNormed, into: dMixed, compute)
    up.backward(record.up, of: record.middleNormed, into: dMixed, adds: true, compute)
    normBackward(
      dMixed, of: record.middle, mlpNorm, pass.kinds.suffix(rows: wanted), into: gradient, config,
      compute)

    output.backward(gradient, of: record.mixed, into: dMixed, compute)
    let dQuery = Matrix(uninitialized: wanted, width)
    let dKey = Matrix(rows: rows, columns: config.keyWidth)
    let dValue = Matrix(rows: rows, columns: config.keyWidth)
    compute.attendGradient(
      dMixed, query: layout(record.query.values, width, config),
      key: layout(slot.layer.keys.values, config.keyWidth, config),
      value: layout(slot.layer.values.values, config.keyWidth, config), dQuery: dQuery.values,
      dKey: dKey.values, dValue: dValue.values,
      shape: shape(queries: wanted, rows: rows, pass, config))
    compute.rotate(dQuery, heads: config.heads, positions: rotations, first: first)
    compute.rotate(dKey, heads: config.keyHeads, positions: rotations, first: 0)

    let dNormed = Matrix(uninitialized: rows, width)
    var start = 0
    for kind in pass.kinds {
      let rows = start..<start + kind.count
      key.of(kind).backward(
        dKey, rows: rows, of: record.normed, at: start, into: dNormed, compute)
      value.of(kind).backward(
        dValue, rows: rows, of: record.normed, at: start, into: dNormed, adds: true, compute)
      start = rows.upperBound
    }
    query.backward(dQuery, of: record.normed, at: first, into: dNormed, adds: true, compute)
    let dInput = Matrix(uninitialized: rows, width)
    dInput.values.update(repeating: 0, count: first * width)
    dInput.row(first).update(from: gradient.values, count: gradient.count)
    normBackward(
      dNormed, of: record.input, attentionNorm, pass.kinds, into: dInput, config, compute)
    return dInput
  }

  private func normBackward(
    _ dy: borrowing Matrix, of x: borrowing Matrix, _ weights: Multiway<Parameter>,
    _ kinds: [RowKind], into dx: borrowing Matrix, _ config: LlamaConfig, _ compute: Compute
  ) {
    var start = 0
    for kind in kinds {
      compute.normGradient(
        dy, of: x, rows: start..<start + kind.count, weight: weights.of(kind), bias: nil,
        epsilon: config.epsilon, into: dx)
      start += kind.count
    }
  }

  private func layout(
    _ values: UnsafeMutablePointer<Float>, _ stride: Int, _ config: LlamaConfig
  ) -> HeadLayout {
    HeadLayout(values, rowStride: stride, headStride: config.headWidth)
  }

  /// The last `queries` of `rows` rows over all keys up to themselves.
  private func shape(
    queries: Int, rows: Int, _ pass: Pass, _ config: LlamaConfig
  ) -> AttentionShape {
    AttentionShape(
      queries: queries, keys: pass.past + rows, heads: config.heads, keyHeads: config.keyHeads,
      width: config.headWidth, firstVisible: pass.past + rows - queries + 1, hidden: pass.hidden)
  }

  private func norm(
    _ x: borrowing Matrix, _ weights: Multiway<Parameter>, _ kinds: [RowKind],
    _ config: LlamaConfig, _ compute: Compute
  ) -> Matrix {
    compute.rmsNorm(
      x, weights: kinds.map { (rows: $0.count, vector: weights.of($0)) },
      epsilon: config.epsilon)
  }

  /// Adds keys and values of the rows to the cache.
  private func store(
    _ x: borrowing Matrix, pass: Pass, slot: KeyValueCache.Slot,
    positions: borrowing RotaryTable, _ config: LlamaConfig, _ compute: Compute
  ) {
    let k = Matrix(uninitialized: x.rows, config.keyWidth)
    let v = Matrix(uninitialized: x.rows, config.keyWidth)
    var start = 0
    for kind in pass.kinds {
      let rows = start..<start + kind.count
      key.of(kind).apply(x, rows: rows, into: k, at: start, compute)
      value.of(kind).apply(x, rows: rows, into: v, at: start, compute)
      start = rows.upperBound
    }
    compute.rotate(k, heads: config.keyHeads, positions: positions, first: pass.past)
    guard x.rows > 0 else { return }
    slot.layer.keys.row(pass.past).update(from: k.values, count: k.count)
    slot.layer.values.row(pass.past).update(from: v.values, count: v.count)
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
