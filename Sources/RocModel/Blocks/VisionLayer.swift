import RocTensor

/// Sizes and names of a vision layer.
struct VisionLayerSettings: Sendable {
  let width: Int
  let heads: Int
  let feedForward: Int
  let epsilon: Float
  let activation: Activation
  let names: Names

  /// Within a layer, without `.weight` and `.bias`.
  struct Names: Sendable {
    let attentionNorm: String
    let queryKeyValue: QueryKeyValue.Names
    let output: String
    let mlpNorm: String
    let expand: String
    let reduce: String
  }

  var headWidth: Int { width / heads }

  /// Multiplications and additions for `rows` rows that attend to each other.
  func operations(rows: Int) -> Double {
    let (rows, width, hidden) = (Double(rows), Double(width), Double(feedForward))
    let products = 2 * rows * (4 * width * width + 2 * width * hidden)
    let attention = 4 * rows * rows * width
    return products + attention
  }
}

/// One layer of a vision transformer: attention within each picture and an MLP, each with its norm
/// before it.
struct VisionLayer: Sendable {
  private let settings: VisionLayerSettings
  private let attentionNorm: LayerNorm
  private let queryKeyValue: QueryKeyValue
  private let output: Linear
  private let mlpNorm: LayerNorm
  private let expand: Linear
  private let reduce: Linear

  init(_ reader: WeightReader, _ name: String, _ settings: VisionLayerSettings) {
    let (width, names) = (settings.width, settings.names)
    func norm(_ part: String) -> LayerNorm {
      LayerNorm(reader, "\(name).\(part)", count: width, epsilon: settings.epsilon)
    }
    self.settings = settings
    attentionNorm = norm(names.attentionNorm)
    queryKeyValue = QueryKeyValue(
      reader, name, names.queryKeyValue, width: width, heads: settings.heads)
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
    /// Queries, keys and values, rotated where they are, and what attention mixed, [T, V].
    let attended: QueryKeyValue.Rows
    let mixed: Matrix
    /// [T, feed forward]: before and after the activation.
    let expanded: Matrix
    let hidden: Matrix

    init(
      input: consuming Matrix, normed: consuming Matrix, attended: QueryKeyValue.Rows,
      mixed: consuming Matrix, middle: consuming Matrix, middleNormed: consuming Matrix,
      expanded: consuming Matrix, hidden: consuming Matrix
    ) {
      self.input = input
      self.normed = normed
      self.attended = attended
      self.mixed = mixed
      self.middle = middle
      self.middleNormed = middleNormed
      self.expanded = expanded
      self.hidden = hidden
    }
  }

  /// - Parameters:
  ///   - x: The rows of all pictures, [sum of counts, V].
  ///   - counts: Rows of each picture, which attend to each other.
  ///   - rotations: A row of angles for each row; nil where positions are added beforehand.
  ///   - compute: Kernels and threads.
  ///   - tape: Keeps what `backward` needs when given.
  /// - Returns: [sum of counts, V].
  func callAsFunction(
    _ x: consuming Matrix, counts: [Int], rotations: Rotations? = nil, _ compute: Compute,
    tape: Tape?
  ) -> Matrix {
    let normed = attentionNorm(x, compute)
    let attended = queryKeyValue(normed, compute)
    if let rotations { queryKeyValue.rotate(attended, by: rotations.table, compute) }
    let mixed = compute.matrix(normed.rows, settings.width)
    var start = 0
    for count in counts {
      var shape = queryKeyValue.shape(rows: count)
      // Derivatives are those of float32 attention.
      if tape == nil {
        shape.precision = compute.attentionPrecision(beside: queryKeyValue.precision)
      }
      shape.first = (start, start)
      compute.attend(attended.query.x, attended.key.x, attended.value.x, shape, into: mixed)
      start += count
    }
    guard let tape else {
      output.apply(mixed, into: x, finish: .add, compute)
      let hidden = expand(mlpNorm(x, compute), finish: settings.activation.finish, compute)
      reduce.apply(hidden, into: x, finish: .add, compute)
      return x
    }
    let middle = x.copy()
    output.apply(mixed, into: middle, finish: .add, compute)
    let middleNormed = mlpNorm(middle, compute)
    let expanded = expand(middleNormed, compute)
    let hidden = settings.activation(expanded, compute)
    let result = middle.copy()
    reduce.apply(hidden, into: result, finish: .add, compute)
    tape.push(
      Record(
        input: x, normed: normed, attended: attended, mixed: mixed, middle: middle,
        middleNormed: middleNormed, expanded: expanded, hidden: hidden))
    return result
  }

  /// Turns the gradient of the last result, of one picture, [T, V], into that of the layer's input.
  func backward(
    _ gradient: consuming Matrix, rotations: Rotations? = nil, _ compute: Compute, tape: Tape
  ) -> Matrix {
    let record = tape.pop(Record.self)
    let rows = gradient.rows
    let dHidden = compute.matrix(rows, settings.feedForward)
    reduce.backward(gradient, of: record.hidden, into: dHidden, compute)
    settings.activation.backward(dHidden, of: record.expanded, compute)
    let dNormed = compute.matrix(rows, settings.width)
    expand.backward(dHidden, of: record.middleNormed, into: dNormed, compute)
    mlpNorm.backward(dNormed, of: record.middle, into: gradient, compute)

    let dMixed = compute.matrix(rows, settings.width)
    output.backward(gradient, of: record.mixed, into: dMixed, compute)
    let d = queryKeyValue.gradients(rows: rows, compute)
    let attended = record.attended
    compute.attendGradient(
      dMixed, attended.query.x, attended.key.x, attended.value.x, into: d.query.x, d.key.x,
      d.value.x, queryKeyValue.shape(rows: rows))
    if let rotations { queryKeyValue.rotate(d, by: rotations.reversed, compute) }
    queryKeyValue.backward(d, of: record.normed, into: dNormed, compute)
    attentionNorm.backward(dNormed, of: record.input, into: gradient, compute)
    return gradient
  }
}
