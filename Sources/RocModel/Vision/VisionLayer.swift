import RocTensor

/// One encoder layer: attention and a quick-GELU MLP, each with its norm before it.
struct VisionLayer: Sendable {
  private let attentionNorm: LayerNorm
  private let queryKeyValue: Linear
  private let dense: Linear
  private let mlpNorm: LayerNorm
  private let expand: Linear
  private let reduce: Linear

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

  /// What the forward pass leaves; letters: T = rows, V = width.
  private final class Record {
    /// [T, V]: the input, its norm, and both again after attention.
    let input: Matrix
    let normed: Matrix
    let middle: Matrix
    let middleNormed: Matrix
    /// [T, 3 V] and what attention mixed, [T, V].
    let joint: Matrix
    let mixed: Matrix
    /// [T, feed forward]: before and after quick-GELU.
    let expanded: Matrix
    let hidden: Matrix

    init(
      input: consuming Matrix, normed: consuming Matrix, joint: consuming Matrix,
      mixed: consuming Matrix, middle: consuming Matrix, middleNormed: consuming Matrix,
      expanded: consuming Matrix, hidden: consuming Matrix
    ) {
      self.input = input
      self.normed = normed
      self.joint = joint
      self.mixed = mixed
      self.middle = middle
      self.middleNormed = middleNormed
      self.expanded = expanded
      self.hidden = hidden
    }
  }

  func callAsFunction(
    _ x: consuming Matrix, _ config: VisionConfig, _ compute: Compute, tape: Tape?
  ) -> Matrix {
    let normed = attentionNorm(x, compute)
    let joint = queryKeyValue(normed, compute)
    var shape = shape(rows: joint.rows, config)
    // Derivatives are those of float32 attention.
    if tape == nil {
      shape.precision = compute.attentionPrecision(beside: queryKeyValue.weights?.precision)
    }
    let mixed = compute.attend(
      query: part(0, of: joint, config), key: part(1, of: joint, config),
      value: part(2, of: joint, config), shape: shape)
    extendLifetime(joint)
    guard let tape else {
      dense.apply(mixed, into: x, finish: .add, compute)
      let hidden = expand(mlpNorm(x, compute), finish: .quickGELU, compute)
      reduce.apply(hidden, into: x, finish: .add, compute)
      return x
    }
    let middle = x.copy()
    dense.apply(mixed, into: middle, finish: .add, compute)
    let middleNormed = mlpNorm(middle, compute)
    let expanded = expand(middleNormed, compute)
    let hidden = compute.quickGELU(expanded)
    let result = middle.copy()
    reduce.apply(hidden, into: result, finish: .add, compute)
    tape.push(
      Record(
        input: x, normed: normed, joint: joint, mixed: mixed, middle: middle,
        middleNormed: middleNormed, expanded: expanded, hidden: hidden))
    return result
  }

  /// Turns the gradient of the last result, [T, V], into that of the layer's input.
  func backward(
    _ gradient: consuming Matrix, _ config: VisionConfig, _ compute: Compute, tape: Tape
  ) -> Matrix {
    let record = tape.pop(Record.self)
    let dHidden = Matrix(uninitialized: gradient.rows, config.feedForward)
    reduce.backward(gradient, of: record.hidden, into: dHidden, compute)
    compute.quickGELUGradient(dHidden, of: record.expanded)
    let dNormed = Matrix(uninitialized: gradient.rows, config.width)
    expand.backward(dHidden, of: record.middleNormed, into: dNormed, compute)
    mlpNorm.backward(dNormed, of: record.middle, into: gradient, compute)

    let dMixed = Matrix(uninitialized: gradient.rows, config.width)
    dense.backward(gradient, of: record.mixed, into: dMixed, compute)
    let dJoint = Matrix(rows: gradient.rows, columns: 3 * config.width)
    let head = config.headWidth
    compute.attendGradient(
      dMixed, query: part(0, of: record.joint, config), key: part(1, of: record.joint, config),
      value: part(2, of: record.joint, config), dQuery: dJoint.values,
      dKey: dJoint.values + head, dValue: dJoint.values + 2 * head,
      shape: shape(rows: gradient.rows, config))
    queryKeyValue.backward(dJoint, of: record.normed, into: dNormed, compute)
    attentionNorm.backward(dNormed, of: record.input, into: gradient, compute)
    return gradient
  }

  /// Each head holds its own query, key and value triple in the rows of the joint projection.
  private func part(
    _ index: Int, of joint: borrowing Matrix, _ config: VisionConfig
  ) -> HeadLayout {
    HeadLayout(
      joint.values + index * config.headWidth, rowStride: joint.columns,
      headStride: 3 * config.headWidth)
  }

  private func shape(rows: Int, _ config: VisionConfig) -> AttentionShape {
    AttentionShape(
      queries: rows, keys: rows, heads: config.heads, keyHeads: config.heads,
      width: config.headWidth)
  }
}
