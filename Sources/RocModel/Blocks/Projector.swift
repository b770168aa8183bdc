import RocTensor

/// What a projector is made of.
struct ProjectorSettings: Sendable {
  /// The products in order, without `.weight`; a GELU stands between them.
  let layers: [String]
  /// The norm of each feature before anything else; nil where there is none.
  var norm: (name: String, epsilon: Float)?
  /// The edge of the squares of neighbouring features that are joined into one, side by side.
  var merge = 1
  /// Whether the first feature, CLIP's class token, is left out.
  var dropsFirst = false
  let inputs: Int
  /// Of the products before the last one.
  let hidden: Int
  let outputs: Int
  var activation = Activation.gelu

  /// Consecutive features that become one.
  fileprivate var joins: Int { merge * merge }
}

/// Picture features through an MLP to rows of the language model: the projector of LLaVA-1.5
/// (https://arxiv.org/abs/2310.03744), and the merger of Qwen2-VL (https://arxiv.org/abs/2409.12191),
/// which joins four neighbouring features first.
///
/// Letters: F = features of a picture, V = vision width, J = joined features, R = F / J rows.
struct Projector: Connector {
  let isTrained: Bool
  private let settings: ProjectorSettings
  private let compute: Compute
  private let norm: LayerNorm?
  private let layers: [Linear]

  init(_ reader: WeightReader, _ settings: ProjectorSettings, _ compute: Compute) {
    let trained = reader.trained.count
    self.settings = settings
    self.compute = compute
    norm = settings.norm.map {
      LayerNorm(reader, $0.name, count: settings.inputs, epsilon: $0.epsilon)
    }
    let last = settings.layers.count - 1
    layers = settings.layers.enumerated().map { place, name in
      reader.linear(
        name, outputs: place == last ? settings.outputs : settings.hidden,
        inputs: place == 0 ? settings.joins * settings.inputs : settings.hidden, kept: true)
    }
    isTrained = reader.trained.count > trained
  }

  /// What the forward pass leaves of one picture.
  private final class Record {
    /// [F, V]: the features that are used.
    let features: Matrix
    /// What each product took, and what it gave where an activation followed.
    let inputs: [LayerInput]
    let raised: [LayerInput]

    init(features: consuming Matrix, inputs: [LayerInput], raised: [LayerInput]) {
      self.features = features
      self.inputs = inputs
      self.raised = raised
    }
  }

  func connect(
    _ features: borrowing PictureRows, trace: Trace?, tape: Tape?
  ) -> PictureRows {
    precondition(
      tape == nil || features.counts.count == 1, "a derivative of \(features.counts.count) pictures"
    )
    let skipped = settings.dropsFirst ? 1 : 0
    let used = compute.matrix(
      features.matrix.rows - skipped * features.counts.count, features.matrix.columns)
    var start = 0
    for place in features.counts.indices {
      let rows = features.picture(place).dropFirst(skipped)
      compute.copy(features.matrix, rows: rows, into: used, at: start)
      start += rows.count
    }
    let counts = features.counts.map { ($0 - skipped) / settings.joins }
    let grids = features.grids.map { $0.map(merged) }
    let normed = norm.map { $0(used, compute) } ?? used.copy()
    var x = compute.reshaped(normed, columns: settings.joins * settings.inputs)
    guard let tape else {
      for (place, layer) in layers.enumerated() {
        x = layer(
          x, finish: place < layers.count - 1 ? settings.activation.finish : .store, compute)
      }
      return PictureRows(x, counts: counts, grids: grids)
    }
    var (inputs, raised): ([LayerInput], [LayerInput]) = ([], [])
    for (place, layer) in layers.enumerated() {
      let input = LayerInput(x.copy())
      inputs.append(input)
      x = layer(input.x, compute)
      guard place < layers.count - 1 else { continue }
      let sum = LayerInput(x.copy())
      raised.append(sum)
      x = settings.activation(sum.x, compute)
    }
    tape.push(Record(features: used, inputs: inputs, raised: raised))
    return PictureRows(x, counts: counts, grids: grids)
  }

  /// The grid of joined features: squares of them become one.
  private func merged(_ grid: PictureGrid) -> PictureGrid {
    PictureGrid(rows: grid.rows / settings.merge, columns: grid.columns / settings.merge)
  }

  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix {
    let record = tape.pop(Record.self)
    var d = gradient.copy()
    for place in layers.indices.reversed() {
      if place < layers.count - 1 {
        settings.activation.backward(d, of: record.raised[place].x, compute)
      }
      let input = record.inputs[place]
      let dInput = compute.matrix(input.x.rows, input.x.columns)
      layers[place].backward(d, of: input.x, into: dInput, compute)
      d = dInput
    }
    let dNormed = compute.reshaped(d, columns: settings.inputs)
    let skipped = settings.dropsFirst ? 1 : 0
    let (rows, width) = (record.features.rows, record.features.columns)
    let dFeatures = compute.zeros(rows + skipped, width)
    guard let norm else {
      compute.copy(dNormed, into: dFeatures, at: skipped)
      return dFeatures
    }
    let dUsed = compute.zeros(rows, width)
    norm.backward(dNormed, of: record.features, into: dUsed, compute)
    compute.copy(dUsed, into: dFeatures, at: skipped)
    return dFeatures
  }

  func operations(_ features: borrowing PictureRows) -> Double {
    let skipped = settings.dropsFirst ? 1 : 0
    let rows = features.counts.reduce(0) { $0 + ($1 - skipped) / settings.joins }
    return layers.reduce(0.0) { $0 + 2 * Double(rows) * Double($1.inputs) * Double($1.outputs) }
  }
}
