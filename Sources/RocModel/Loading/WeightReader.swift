import RocCheckpoint
package import RocTensor

/// Hands out weights by name and shape, and collects everything that does not fit.
///
/// A model is built twice from the same code: a first, checking pass touches no data and finds
/// every missing and misshapen tensor and the memory that the second pass will take.
package final class WeightReader {
  private let checkpoint: Checkpoint
  private let compute: Compute
  private let precision: Precision
  package let isChecking: Bool
  /// Nil when nothing is trained.
  private let training: TrainingPlan?
  private(set) var problems: [String] = []
  private(set) var asked: Set<String> = []
  /// Bytes that the weights take in memory.
  private(set) var bytes = 0
  /// Every tensor that was asked for, in the order of the network.
  private(set) var requests: [TensorRequest] = []
  /// Every parameter that is trained, in the order of the network.
  package private(set) var trained: [TrainedTensor] = []
  /// Modules that get a low-rank update, also in the checking pass.
  private(set) var updated: [String] = []

  init(
    _ checkpoint: Checkpoint, precision: Precision, compute: Compute, isChecking: Bool,
    training: TrainingPlan? = nil
  ) {
    self.training = training
    self.checkpoint = checkpoint
    self.precision = precision
    self.compute = compute
    self.isChecking = isChecking
  }

  /// Whether some tensors are to be trained.
  package var trains: Bool { training != nil }

  package func isTrained(_ name: String) -> Bool { training?.trains(name) ?? false }

  /// Weights [outputs, inputs] as `<name>.weight`, and `<name>.bias` where there is one.
  ///
  /// - Parameters:
  ///   - name: Without `.weight`.
  ///   - outputs: Output features.
  ///   - inputs: Input features.
  ///   - bias: Whether there is one.
  ///   - kept: Stays in bf16 when the rest is in 8 bits.
  /// - Returns: The layer; in the checking pass one that cannot be applied.
  package func linear(
    _ name: String, outputs: Int, inputs: Int, bias: Bool = true, kept: Bool = false
  ) -> Linear {
    linear(
      name, shape: [outputs, inputs], bias: bias ? vector("\(name).bias", count: outputs) : nil,
      kept: kept)
  }

  /// Weights stored as [outputs, …], read as [outputs, inputs].
  package func linear(
    _ name: String, shape: [Int], bias: Parameter? = nil, kept: Bool = false
  ) -> Linear {
    let (outputs, inputs) = (shape[0], shape.dropFirst().reduce(1, *))
    let precision = kept && precision == .int8 ? Precision.bf16 : precision
    let module = name
    let name = "\(name).weight"
    let use = TensorRequest.Use.matrix(outputs: outputs, inputs: inputs, precision)
    requests.append(TensorRequest(name: name, shape: shape, use: use))
    count(precision.packedBytes(outputs: outputs, inputs: inputs))
    let unread = Linear(unread: outputs, inputs)
    if isTrained(name) {
      count(trainingOf: outputs * inputs, in: precision)
    } else if shape.count == 2, let plan = training?.lowRank, plan.includes(module) {
      updated.append(module)
      // A and B.
      count(trainingOf: plan.rank * (outputs + inputs), in: .f32)
      count(floats: [plan.rank, outputs + inputs])
    }
    if checkpoint.layout != nil {
      guard let tensor = packed(name, outputs, inputs, precision), !isChecking else {
        return unread
      }
      return Linear(
        tensor.panels(precision: precision, outputs: outputs, inputs: inputs), bias: bias)
    }
    guard let weights = raw(name, shape: shape)?.reshaped(rows: outputs, columns: inputs) else {
      return unread
    }
    let found =
      isTrained(name)
      ? PackedWeights(training: weights, precision: precision, compute: compute)
      : PackedWeights(weights, precision: precision, compute: compute)
    guard let packed = found else {
      problems.append(Self.notFinite(name))
      return unread
    }
    if let parameter = packed.parameter {
      parameter.train(slots: training?.slots ?? 1)
      trained.append(
        TrainedTensor(name: name, shape: shape, parameter: parameter, weights: packed))
    }
    // What was packed is not needed a second time: the pages of a large file would crowd out
    // those that are.
    weights.forget()
    return Linear(
      packed, bias: bias,
      lowRank: shape.count == 2 ? lowRank(module, outputs: outputs, inputs: inputs) : nil)
  }

  /// The update of a module, when it gets one.
  private func lowRank(_ module: String, outputs: Int, inputs: Int) -> LowRank? {
    guard let plan = training?.lowRank, plan.includes(module), !isTrained("\(module).weight")
    else { return nil }
    let names = LowRankPlan.names(module)
    let start = plan.start(module, outputs: outputs, inputs: inputs, compute)
    func part(_ name: String, _ values: [Float], _ rows: Int, _ columns: Int) -> PackedWeights? {
      let packed = RawWeights(copying: values, rows: rows, columns: columns, name)
        .flatMap { PackedWeights(training: $0, precision: .f32, compute: compute) }
      guard let packed, let parameter = packed.parameter else {
        problems.append(Self.notFinite(name))
        return nil
      }
      parameter.train(slots: training?.slots ?? 1)
      trained.append(
        TrainedTensor(name: name, shape: [rows, columns], parameter: parameter, weights: packed))
      return packed
    }
    guard let down = part(names.down, start.down, plan.rank, inputs),
      let up = part(names.up, start.up, outputs, plan.rank)
    else { return nil }
    return LowRank(
      down: down, up: up, scale: plan.scale, dropout: plan.dropout, stream: trained.count)
  }

  package func vector(_ name: String, count: Int) -> Parameter { values(name, shape: [count]) }

  /// Values of any shape as one list.
  package func values(_ name: String, shape: [Int]) -> Parameter {
    let parameter = Parameter(constants(name, shape: shape))
    guard isTrained(name) else { return parameter }
    count(trainingOf: shape.reduce(1, *), in: .f32)
    guard !isChecking else { return parameter }
    parameter.train(slots: training?.slots ?? 1)
    trained.append(TrainedTensor(name: name, shape: shape, parameter: parameter, weights: nil))
    return parameter
  }

  /// Values that are never trained.
  private func constants(_ name: String, shape: [Int]) -> [Float] {
    requests.append(TensorRequest(name: name, shape: shape, use: .values))
    count(floats: shape)
    guard let weights = raw(name, shape: shape) else { return [] }
    if !weights.isFinite(compute) { problems.append(Self.notFinite(name)) }
    return weights.widened
  }

  /// Values that are stored, or else computed.
  package func buffer(
    _ name: String, shape: [Int], computed: @escaping @Sendable () -> [Float]
  ) -> Parameter {
    guard checkpoint[name] == nil else { return Parameter(constants(name, shape: shape)) }
    requests.append(TensorRequest(name: name, shape: shape, use: .buffer(computed)))
    count(floats: shape)
    return Parameter(isChecking ? [] : computed())
  }

  /// A tensor that may be there and is not used.
  package func ignore(_ name: String) { asked.insert(name) }

  /// Tensors that may be there and are not used, such as layers after the last one computed.
  package func ignore(prefix: String) {
    asked.formUnion(checkpoint.names.filter { $0.hasPrefix(prefix) })
  }

  /// A table whose rows are read one by one from the mapped file.
  package func table(_ name: String, rows: Int, columns: Int) -> EmbeddingTable {
    let shape = [rows, columns]
    if isTrained(name) {
      return EmbeddingTable(trained: values(name, shape: shape), rows: rows, columns: columns)
    }
    requests.append(TensorRequest(name: name, shape: shape, use: .values))
    guard check(name, shape: shape) != nil, !isChecking else {
      return EmbeddingTable(weights: nil, rows: rows, columns: columns)
    }
    let weights = raw(name, shape: shape)
    if weights?.isFinite(compute) == false { problems.append(Self.notFinite(name)) }
    return EmbeddingTable(weights: weights, rows: rows, columns: columns)
  }

  private static func notFinite(_ name: String) -> String {
    "not finite: \(name) holds infinite or NaN values"
  }

  /// Counts a trained tensor's gradient for each slot and two moments, and its float32 weights
  /// where products use rounded ones.
  private func count(trainingOf values: Int, in precision: Precision) {
    count(floats: [(precision == .f32 ? 2 : 3) + (training?.slots ?? 1), values])
  }

  private func count(floats shape: [Int]) {
    var product = 4
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      product = overflow ? Int.max : next
    }
    count(product)
  }

  /// Adds to the need; hostile sizes stop at the largest number.
  private func count(_ more: Int) {
    let (sum, overflow) = bytes.addingReportingOverflow(more)
    bytes = overflow ? Int.max : sum
  }

  /// The values of a tensor of that shape, any adapter's part added.
  private func raw(_ name: String, shape: [Int]) -> RawWeights? {
    guard let tensor = check(name, shape: shape), !isChecking else { return nil }
    let rows = shape.first ?? 1
    let columns = shape.dropFirst().reduce(1, *)
    let weights = tensor.weights(rows: rows, columns: columns)
    guard let update = checkpoint.update(of: name) else { return weights }
    guard let merged = update.merged(into: weights, compute: compute) else {
      problems.append("not finite: \(name), or its adapter, holds infinite or NaN values")
      return nil
    }
    return merged
  }

  private func check(_ name: String, shape: [Int]) -> Tensor? {
    asked.insert(name)
    guard let tensor = checkpoint[name] else {
      problems.append("missing: \(name) \(shape)")
      return nil
    }
    guard tensor.shape == shape else {
      problems.append("misshapen: \(name) is \(tensor.shape), config.json asks for \(shape)")
      return nil
    }
    guard [.f32, .f16, .bf16].contains(tensor.dtype) else {
      problems.append("format: \(name) is \(tensor.dtype.rawValue), expected F32, F16 or BF16")
      return nil
    }
    return tensor
  }

  /// The panels of a converted checkpoint.
  private func packed(
    _ weight: String, _ outputs: Int, _ inputs: Int, _ precision: Precision
  ) -> Tensor? {
    let name = Checkpoint.panelName(weight, precision)
    asked.insert(name)
    guard let tensor = checkpoint[name] else {
      problems.append("missing: \(name)")
      return nil
    }
    let bytes = precision.packedBytes(outputs: outputs, inputs: inputs)
    guard tensor.dtype == .u8, tensor.byteCount == bytes, tensor.isAligned(to: 64) else {
      problems.append(
        "misshapen: \(name) has \(tensor.byteCount) bytes, config.json asks for \(bytes) aligned")
      return nil
    }
    return tensor
  }
}

/// A tensor that a model has.
package struct TensorRequest: Sendable {
  /// What it is read as.
  package enum Use: Sendable {
    /// The weights of products, in that precision.
    case matrix(outputs: Int, inputs: Int, Precision)
    /// Float32 values.
    case values
    /// Values that may be absent and are then computed.
    case buffer(@Sendable () -> [Float])
  }

  package let name: String
  package let shape: [Int]
  package let use: Use

  /// The precision of a matrix.
  package var precision: Precision? {
    if case .matrix(_, _, let precision) = use { precision } else { nil }
  }
}

/// A tensor that is trained.
package struct TrainedTensor: Sendable {
  package let name: String
  package let shape: [Int]
  package let parameter: Parameter
  /// What products use, to be refreshed after the parameter moved; nil for other values.
  package let weights: PackedWeights?

  package init(name: String, shape: [Int], parameter: Parameter, weights: PackedWeights?) {
    self.name = name
    self.shape = shape
    self.parameter = parameter
    self.weights = weights
  }
}
