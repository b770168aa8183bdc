import RocTensor

/// Weights for rows of text and for rows of pictures: two sets in a multiway network, else one.
struct Multiway<Weights: Sendable>: Sendable {
  let text: Weights
  let picture: Weights

  /// - Parameters:
  ///   - settings: Say whether there are two, and what they are called.
  ///   - name: Of one tensor or module.
  ///   - make: The weights of a name.
  init(_ settings: LlamaSettings, _ name: String, _ make: (String) -> Weights) {
    guard let multiway = settings.multiway else {
      text = make(name)
      picture = text
      return
    }
    text = make(multiway.text(name))
    picture = make(multiway.picture(name))
  }

  func of(_ kind: RowSpan) -> Weights {
    switch kind {
    case .text: text
    case .picture: picture
    }
  }
}

/// One layer of a LLaMA decoder.
struct LlamaLayer: Sendable {
  private let settings: LlamaSettings
  private let place: Int
  private let attentionNorm: Multiway<Parameter>
  private let query: Linear
  private let key: Multiway<Linear>
  private let value: Multiway<Linear>
  private let output: Linear
  private let mlpNorm: Multiway<Parameter>
  private let gate: Linear
  private let up: Linear
  private let down: Linear

  /// - Parameters:
  ///   - reader: Of the weights.
  ///   - place: Its number, from 0.
  ///   - settings: Of the network.
  init(_ reader: WeightReader, _ place: Int, _ settings: LlamaSettings) {
    let (width, name) = (settings.width, "\(settings.names.layers).\(place)")
    func linear(
      _ part: String, _ outputs: Int, _ inputs: Int, bias: Bool = false
    ) -> Linear {
      reader.linear(part, outputs: outputs, inputs: inputs, bias: bias)
    }
    let bias = settings.hasProjectionBias
    self.settings = settings
    self.place = place
    attentionNorm = Multiway(settings, "\(name).input_layernorm") {
      reader.vector("\($0).weight", count: width)
    }
    query = linear("\(name).self_attn.q_proj", width, width, bias: bias)
    key = Multiway(settings, "\(name).self_attn.k_proj") {
      linear($0, settings.keyWidth, width, bias: bias)
    }
    value = Multiway(settings, "\(name).self_attn.v_proj") {
      linear($0, settings.keyWidth, width, bias: bias)
    }
    output = linear("\(name).self_attn.o_proj", width, width)
    mlpNorm = Multiway(settings, "\(name).post_attention_layernorm") {
      reader.vector("\($0).weight", count: width)
    }
    gate = linear("\(name).mlp.gate_proj", settings.feedForward, width)
    up = linear("\(name).mlp.up_proj", settings.feedForward, width)
    down = linear("\(name).mlp.down_proj", width, settings.feedForward)
    // Saved by older versions of transformers; computed in float32 here.
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

  /// Consecutive rows of a sequence whose angles stand one after another in a table.
  struct Turn {
    let count: Int
    let rotations: Rotations
    /// The first row's place in the table.
    let first: Int
  }

  /// One sequence's share of a pass.
  struct SequencePass {
    /// Of the T rows.
    let rows: Range<Int>
    let kinds: [RowSpan]
    let turns: [Turn]
    /// Rows of the sequence before these.
    let past: Int
    /// How many of the last rows are computed to the end.
    let wanted: Int
    let cache: KeyValueCache

    var wantedRows: Range<Int> { rows.upperBound - wanted..<rows.upperBound }
  }

  /// Runs the layer and stores keys and values of all rows.
  ///
  /// - Parameters:
  ///   - x: [T, width].
  ///   - pass: The sequences that the T rows belong to.
  ///   - compute: Kernels and threads.
  ///   - tape: Keeps what `backward` needs when given; of one sequence.
  /// - Returns: [the sum of wanted, width].
  func callAsFunction(
    _ x: consuming Matrix, _ pass: [SequencePass], _ compute: Compute, tape: Tape?
  ) -> Matrix {
    let normed = norm(x, attentionNorm, pass.flatMap(\.kinds), compute)
    store(normed, pass, compute)
    let wanted = pass.reduce(0) { $0 + $1.wanted }
    guard wanted > 0 else { return compute.matrix(0, settings.width) }
    let isWhole = wanted == normed.rows
    // One sequence is read where it stands: what dropout leaves out depends on the rows' places.
    let q =
      pass.count == 1
      ? query(normed, rows: pass[0].wantedRows, compute)
      : query(last(normed, pass, compute), compute)
    let mixed = compute.matrix(wanted, settings.width)
    var start = 0
    for stretch in pass {
      let rows = start..<start + stretch.wanted
      let slot = stretch.cache.layers[place]
      rotate(
        q, rows, heads: settings.heads, stretch.turns.suffix(rows: stretch.wanted), compute)
      var shape = shape(stretch)
      shape.first.query = start
      compute.attend(q, slot.keys, slot.values, shape, into: mixed)
      start = rows.upperBound
    }
    let kinds = pass.flatMap { $0.kinds.suffix(rows: $0.wanted) }
    guard let tape else {
      let x = isWhole ? x : last(x, pass, compute)
      output.apply(mixed, into: x, finish: .add, compute)
      let inner = norm(x, mlpNorm, kinds, compute)
      let hidden = gate(inner, compute)
      up.apply(inner, into: hidden, finish: .siluGate, compute)
      down.apply(hidden, into: x, finish: .add, compute)
      return x
    }
    let middle = last(x, pass, compute)
    output.apply(mixed, into: middle, finish: .add, compute)
    let inner = norm(middle, mlpNorm, kinds, compute)
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
  ///   - pass: Its one sequence.
  ///   - compute: Kernels and threads.
  /// - Returns: [T, D].
  func backward(
    _ gradient: consuming Matrix, record: Record, _ pass: SequencePass, _ compute: Compute
  ) -> Matrix {
    let (rows, wanted, width) = (record.input.rows, gradient.rows, settings.width)
    let first = rows - wanted
    let dHidden = compute.matrix(wanted, settings.feedForward)
    down.backward(gradient, of: record.hidden, into: dHidden, compute)
    compute.siluGateGradient(dHidden, of: record.gate, record.up)
    let dMixed = compute.matrix(wanted, width)
    gate.backward(record.gate, of: record.middleNormed, into: dMixed, compute)
    up.backward(record.up, of: record.middleNormed, into: dMixed, adds: true, compute)
    normBackward(
      dMixed, of: record.middle, mlpNorm, pass.kinds.suffix(rows: wanted), into: gradient, compute)

    output.backward(gradient, of: record.mixed, into: dMixed, compute)
    let dQuery = compute.matrix(wanted, width)
    let dKey = compute.zeros(rows, settings.keyWidth)
    let dValue = compute.zeros(rows, settings.keyWidth)
    let slot = pass.cache.layers[place]
    compute.attendGradient(
      dMixed, record.query, slot.keys, slot.values, into: dQuery, dKey, dValue, shape(pass))
    rotate(
      dQuery, 0..<wanted, heads: settings.heads, pass.turns.suffix(rows: wanted), back: true,
      compute)
    rotate(dKey, 0..<rows, heads: settings.keyHeads, pass.turns, back: true, compute)

    let dNormed = compute.matrix(rows, width)
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
    let dInput = compute.zeros(rows, width)
    compute.copy(gradient, into: dInput, at: first)
    normBackward(dNormed, of: record.input, attentionNorm, pass.kinds, into: dInput, compute)
    return dInput
  }

  /// Turns rows, given where each stretch of them stands.
  private func rotate(
    _ x: borrowing Matrix, _ rows: Range<Int>, heads: Int, _ turns: [Turn], back: Bool = false,
    _ compute: Compute
  ) {
    var start = rows.lowerBound
    for turn in turns {
      let rows = start..<start + turn.count
      if back {
        compute.rotate(
          x, rows: rows, heads: heads, positions: turn.rotations.reversed, first: turn.first)
      } else {
        compute.rotate(
          x, rows: rows, heads: heads, positions: turn.rotations.table, first: turn.first)
      }
      start = rows.upperBound
    }
  }

  private func normBackward(
    _ dy: borrowing Matrix, of x: borrowing Matrix, _ weights: Multiway<Parameter>,
    _ kinds: [RowSpan], into dx: borrowing Matrix, _ compute: Compute
  ) {
    var start = 0
    for kind in kinds {
      compute.normGradient(
        dy, of: x, NormParameters(weight: weights.of(kind), epsilon: settings.epsilon),
        rows: start..<start + kind.count, into: dx)
      start += kind.count
    }
  }

  /// The wanted rows of a sequence over all keys up to themselves.
  private func shape(_ stretch: SequencePass) -> AttentionShape {
    let seen = stretch.past + stretch.rows.count
    return AttentionShape(
      queries: stretch.wanted, keys: seen, heads: settings.heads, keyHeads: settings.keyHeads,
      width: settings.headWidth, firstVisible: seen - stretch.wanted + 1,
      hidden: stretch.cache.masked)
  }

  private func norm(
    _ x: borrowing Matrix, _ weights: Multiway<Parameter>, _ kinds: [RowSpan], _ compute: Compute
  ) -> Matrix {
    compute.rmsNorm(
      x, weights: kinds.map { (rows: $0.count, vector: weights.of($0)) },
      epsilon: settings.epsilon)
  }

  /// Copies of the wanted rows of all sequences.
  private func last(_ x: borrowing Matrix, _ pass: [SequencePass], _ compute: Compute) -> Matrix {
    let result = compute.matrix(pass.reduce(0) { $0 + $1.wanted }, x.columns)
    var start = 0
    for stretch in pass {
      compute.copy(x, rows: stretch.wantedRows, into: result, at: start)
      start += stretch.wanted
    }
    return result
  }

  /// Adds keys and values of the rows to the caches.
  private func store(_ x: borrowing Matrix, _ pass: [SequencePass], _ compute: Compute) {
    let k = compute.matrix(x.rows, settings.keyWidth)
    let v = compute.matrix(x.rows, settings.keyWidth)
    var start = 0
    for kind in pass.flatMap(\.kinds) {
      let rows = start..<start + kind.count
      key.of(kind).apply(x, rows: rows, into: k, at: start, compute)
      value.of(kind).apply(x, rows: rows, into: v, at: start, compute)
      start = rows.upperBound
    }
    for stretch in pass {
      rotate(k, stretch.rows, heads: settings.keyHeads, stretch.turns, compute)
      let slot = stretch.cache.layers[place]
      compute.copy(k, rows: stretch.rows, into: slot.keys, at: stretch.past)
      compute.copy(v, rows: stretch.rows, into: slot.values, at: stretch.past)
    }
  }
}

extension [RowSpan] {
  /// The kinds of the last `rows` rows.
  fileprivate func suffix(rows: Int) -> [RowSpan] {
    var left = rows
    var kinds: [RowSpan] = []
    for kind in reversed() where left > 0 {
      kinds.insert(kind.resized(to: Swift.min(kind.count, left)), at: 0)
      left -= kind.count
    }
    return kinds
  }
}

extension [LlamaLayer.Turn] {
  /// The turns of the last `rows` rows.
  fileprivate func suffix(rows: Int) -> [LlamaLayer.Turn] {
    var left = rows
    var turns: [LlamaLayer.Turn] = []
    for turn in reversed() where left > 0 {
      let count = Swift.min(turn.count, left)
      turns.insert(
        LlamaLayer.Turn(
          count: count, rotations: turn.rotations, first: turn.first + turn.count - count), at: 0)
      left -= count
    }
    return turns
  }
}

extension RowSpan {
  fileprivate func resized(to count: Int) -> RowSpan {
    switch self {
    case .text: .text(count)
    // A part of a picture has no grid of its own; only its weights are asked for.
    case .picture: .picture(count, nil)
    }
  }
}
