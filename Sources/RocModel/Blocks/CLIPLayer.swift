import RocTensor

/// One layer of a CLIP tower: attention and a quick-GELU MLP, each with its norm before it.
struct CLIPLayer: Sendable {
  private let settings: CLIPSettings
  private let attentionNorm: LayerNorm
  private let queryKeyValue: Linear
  private let output: Linear
  private let mlpNorm: LayerNorm
  private let expand: Linear
  private let reduce: Linear

  init(_ reader: WeightReader, _ name: String, _ settings: CLIPSettings) {
    let (width, names) = (settings.width, settings.names)
    func norm(_ part: String) -> LayerNorm {
      LayerNorm(reader, "\(name).\(part)", count: width, epsilon: settings.epsilon)
    }
    self.settings = settings
    attentionNorm = norm(names.attentionNorm)
    queryKeyValue = reader.linear(
      "\(name).\(names.queryKeyValue)", outputs: 3 * width, inputs: width)
    output = reader.linear("\(name).\(names.output)", outputs: width, inputs: width)
    mlpNorm = norm(names.mlpNorm)
    expand = reader.linear(
      "\(name).\(names.expand)", outputs: settings.feedForward, inputs: width)
    reduce = reader.linear(
      "\(name).\(names.reduce)", outputs: width, inputs: settings.feedForward)
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

  /// - Parameters:
  ///   - x: [B · T, V].
  ///   - pictures: B; each attends to its own rows.
  ///   - compute: Kernels and threads.
  ///   - tape: Keeps what `backward` needs when given.
  /// - Returns: [B · T, V].
  func callAsFunction(
    _ x: consuming Matrix, pictures: Int, _ compute: Compute, tape: Tape?
  ) -> Matrix {
    let normed = attentionNorm(x, compute)
    let joint = queryKeyValue(normed, compute)
    var shape = shape(rows: joint.rows / pictures)
    // Derivatives are those of float32 attention.
    if tape == nil {
      shape.precision = compute.attentionPrecision(beside: queryKeyValue.weights?.precision)
    }
    let mixed = compute.matrix(joint.rows, settings.width)
    for start in stride(from: 0, to: joint.rows, by: shape.queries) {
      shape.first = (start, start)
      compute.attend(joint, joint, joint, shape, into: mixed)
    }
    guard let tape else {
      output.apply(mixed, into: x, finish: .add, compute)
      let hidden = expand(mlpNorm(x, compute), finish: .quickGELU, compute)
      reduce.apply(hidden, into: x, finish: .add, compute)
      return x
    }
    let middle = x.copy()
    output.apply(mixed, into: middle, finish: .add, compute)
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
  func backward(_ gradient: consuming Matrix, _ compute: Compute, tape: Tape) -> Matrix {
    let record = tape.pop(Record.self)
    let rows = gradient.rows
    let dHidden = compute.matrix(rows, settings.feedForward)
    reduce.backward(gradient, of: record.hidden, into: dHidden, compute)
    compute.quickGELUGradient(dHidden, of: record.expanded)
    let dNormed = compute.matrix(rows, settings.width)
    expand.backward(dHidden, of: record.middleNormed, into: dNormed, compute)
    mlpNorm.backward(dNormed, of: record.middle, into: gradient, compute)

    let dMixed = compute.matrix(rows, settings.width)
    output.backward(gradient, of: record.mixed, into: dMixed, compute)
    let dJoint = compute.zeros(rows, 3 * settings.width)
    compute.attendGradient(
      dMixed, record.joint, record.joint, record.joint, into: dJoint, dJoint, dJoint,
      shape(rows: rows))
    queryKeyValue.backward(dJoint, of: record.normed, into: dNormed, compute)
    attentionNorm.backward(dNormed, of: record.input, into: gradient, compute)
    return gradient
  }

  private func shape(rows: Int) -> AttentionShape {
    var shape = AttentionShape(
      queries: rows, keys: rows, heads: settings.heads, keyHeads: settings.heads,
      width: settings.headWidth)
    // Each head holds its own query, key and value triple in the rows of the joint projection.
    let width = settings.headWidth
    func part(_ place: Int) -> HeadLayout { HeadLayout(column: place * width, stride: 3 * width) }
    shape.layouts = (part(0), part(1), part(2))
    return shape
  }
}
