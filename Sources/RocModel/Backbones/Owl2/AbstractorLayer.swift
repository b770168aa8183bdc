import RocTensor

/// Cross-attention from the queries to queries and features, then a gated MLP.
struct AbstractorLayer: Sendable {
  private let queryNorm: LayerNorm
  private let featureNorm: LayerNorm
  private let query: Linear
  private let key: Linear
  private let value: Linear
  private let output: Linear
  private let mlpNorm: LayerNorm
  private let gate: Linear
  private let up: Linear
  private let innerNorm: LayerNorm
  private let down: Linear
  /// Position codes added to queries and keys, [Q, A] and [S, A].
  private let queryPositions: Parameter
  private let keyPositions: Parameter
  private let config: AbstractorConfig

  init(_ reader: WeightReader, _ name: String, config: AbstractorConfig) {
    let width = config.width
    self.config = config
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

    // Stored buffers count, even if rounded to half precision; they are computed only if absent.
    let features = 1 + config.grid * config.grid
    queryPositions = reader.buffer(
      "\(name).attention.q_pos_embed", shape: [config.queries, width]
    ) { SinusoidalPositions.line(count: config.queries, width: width) }
    keyPositions = reader.buffer(
      "\(name).attention.k_pos_embed", shape: [features, width]
    ) { SinusoidalPositions.grid(edge: config.grid, width: width) }
  }

  /// What the forward pass leaves; letters: Q = queries, M = Q + features, A = width.
  final class Record {
    /// [Q, A]: the input; [Q, A]: after attention, and its norm.
    let input: Matrix
    let middle: Matrix
    let middleNormed: Matrix
    /// [M, A]: queries and features, without and with positions.
    let memory: Matrix
    let placed: Matrix
    /// [Q, A], [M, A], [M, A], [Q, A].
    let query: Matrix
    let key: Matrix
    let value: Matrix
    let mixed: Matrix
    /// [Q, feed forward].
    let gate: Matrix
    let up: Matrix
    let hidden: Matrix
    let hiddenNormed: Matrix

    fileprivate init(
      input: consuming Matrix, reading: consuming Reading, middle: consuming Matrix,
      middleNormed: consuming Matrix, gate: consuming Matrix, up: consuming Matrix,
      hidden: consuming Matrix, hiddenNormed: consuming Matrix
    ) {
      self.input = input
      memory = reading.memory
      placed = reading.placed
      query = reading.query
      key = reading.key
      value = reading.value
      mixed = reading.mixed
      self.middle = middle
      self.middleNormed = middleNormed
      self.gate = gate
      self.up = up
      self.hidden = hidden
      self.hiddenNormed = hiddenNormed
    }
  }

  /// The steps of the cross-attention.
  fileprivate struct Reading: ~Copyable {
    let memory: Matrix
    let placed: Matrix
    let query: Matrix
    let key: Matrix
    let value: Matrix
    let mixed: Matrix
  }

  /// - Parameters:
  ///   - previous: [B · Q, A].
  ///   - features: [S, A] of each of the B pictures.
  ///   - compute: Kernels and threads.
  ///   - tape: Keeps what `backward` needs when given.
  /// - Returns: [B · Q, A].
  func callAsFunction(
    _ previous: borrowing Matrix, features: borrowing PictureRows, _ compute: Compute, tape: Tape?
  ) -> Matrix {
    // The normalised value replaces x: it is also what the residual carries.
    let x = queryNorm(previous, compute)
    let reading = read(x, features: features, compute)
    output.apply(reading.mixed, into: x, finish: .add, compute)
    let normed = mlpNorm(x, compute)
    let gated = gate(normed, compute)
    guard let tape else {
      up.apply(normed, into: gated, finish: .siluGate, compute)
      down.apply(innerNorm(gated, compute), into: x, finish: .add, compute)
      return x
    }
    let raised = up(normed, compute)
    let hidden = compute.siluGate(gated, raised)
    let hiddenNormed = innerNorm(hidden, compute)
    let result = x.copy()
    down.apply(hiddenNormed, into: result, finish: .add, compute)
    tape.push(
      Record(
        input: previous.copy(), reading: reading, middle: x, middleNormed: normed, gate: gated,
        up: raised, hidden: hidden, hiddenNormed: hiddenNormed))
    return result
  }

  /// What the queries `x` read from themselves and the features of their picture.
  private func read(
    _ x: borrowing Matrix, features: borrowing PictureRows, _ compute: Compute
  ) -> Reading {
    let normed = featureNorm(features.matrix, compute)
    let queries = config.queries
    let memory = compute.matrix(x.rows + normed.rows, config.width)
    // Where the rows of a picture begin in the memory: its queries, then its features.
    let starts = features.counts.indices.map { features.picture($0).lowerBound + $0 * queries }
    for (place, start) in starts.enumerated() {
      compute.copy(x, rows: place * queries..<(place + 1) * queries, into: memory, at: start)
      compute.copy(normed, rows: features.picture(place), into: memory, at: start + queries)
    }
    let placed = memory.copy()
    for start in starts {
      compute.add(queryPositions, to: placed, at: start)
      compute.add(keyPositions, to: placed, at: start + queries)
    }

    // The first Q rows of each picture with positions are also the queries.
    let q = compute.matrix(x.rows, config.width)
    for (place, start) in starts.enumerated() {
      query.apply(
        placed, rows: start..<start + queries, into: q, at: place * queries, compute)
    }
    let k = key(placed, compute)
    let v = value(memory, compute)
    let mixed = compute.matrix(x.rows, config.width)
    for (place, start) in starts.enumerated() {
      var shape = shape(keys: queries + features.counts[place])
      shape.first = (place * queries, start)
      compute.attend(q, k, v, shape, into: mixed)
    }
    return Reading(
      memory: memory, placed: placed, query: q, key: k, value: v, mixed: mixed)
  }

  /// Turns the gradient of the result, [Q, A], into that of the layer's input, and adds to that
  /// of the features.
  func backward(
    _ gradient: consuming Matrix, features: borrowing Matrix, into dFeatures: borrowing Matrix,
    _ compute: Compute, record: Record
  ) -> Matrix {
    let (queries, width) = (config.queries, config.width)
    let dHiddenNormed = compute.matrix(queries, config.feedForward)
    down.backward(gradient, of: record.hiddenNormed, into: dHiddenNormed, compute)
    let dHidden = compute.zeros(queries, config.feedForward)
    innerNorm.backward(dHiddenNormed, of: record.hidden, into: dHidden, compute)
    compute.siluGateGradient(dHidden, of: record.gate, record.up)
    let dNormed = compute.matrix(queries, width)
    gate.backward(record.gate, of: record.middleNormed, into: dNormed, compute)
    up.backward(record.up, of: record.middleNormed, into: dNormed, adds: true, compute)
    mlpNorm.backward(dNormed, of: record.middle, into: gradient, compute)

    // dNormed is free again, and takes the gradient of what attention mixed.
    output.backward(gradient, of: record.mixed, into: dNormed, compute)
    let dQuery = compute.matrix(queries, width)
    let dKey = compute.zeros(record.key.rows, width)
    let dValue = compute.zeros(record.key.rows, width)
    compute.attendGradient(
      dNormed, record.query, record.key, record.value, into: dQuery, dKey, dValue,
      shape(keys: record.key.rows))
    let dMemory = compute.matrix(record.key.rows, width)
    key.backward(dKey, of: record.placed, into: dMemory, compute)
    value.backward(dValue, of: record.memory, into: dMemory, adds: true, compute)
    query.backward(dQuery, of: record.placed, into: dMemory, adds: true, compute)

    let tail = dMemory.copy(rows: queries..<dMemory.rows)
    featureNorm.backward(tail, of: features, into: dFeatures, compute)
    compute.add(dMemory.copy(rows: 0..<queries), to: gradient)
    let dInput = compute.zeros(queries, width)
    queryNorm.backward(gradient, of: record.input, into: dInput, compute)
    return dInput
  }

  private func shape(keys: Int) -> AttentionShape {
    AttentionShape(
      queries: config.queries, keys: keys, heads: config.heads, keyHeads: config.heads,
      width: config.width / config.heads)
  }
}
