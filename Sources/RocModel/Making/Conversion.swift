package import RocCheckpoint
package import RocTensor

/// Writes a checkpoint in another number format: ordinary safetensors that every program reads, or
/// packed panels that the kernels use as they lie in the file.
///
/// An adapter's part is added to its base on the way.
package struct Conversion {
  /// What is written.
  package enum Target: Sendable, Equatable {
    /// Safetensors of a float format.
    case plain(DType)
    /// Panels for a precision: loads without conversion, for this program only.
    case packed(Precision)
  }

  private let loader: ModelLoader
  private let compute: Compute
  package let target: Target

  /// - Parameters:
  ///   - source: A checkpoint folder.
  ///   - target: What to write.
  ///   - compute: Threads.
  /// - Throws: `ModelError` when the source does not fit its config or is packed already.
  package init(source: String, target: Target, compute: Compute) throws(ModelError) {
    let precision: Precision
    if case .packed(let packed) = target { precision = packed } else { precision = .f32 }
    let loader = try ModelLoader(folder: source, compute: compute, precision: precision)
    guard loader.checkpoint.layout == nil else {
      throw .request("\(source) is packed; convert the checkpoint that it was made from")
    }
    self.loader = loader
    self.target = target
    self.compute = compute
  }

  /// Bytes of all tensors that will be written.
  package var byteCount: Int { plans.reduce(0) { $0 + $1.byteCount } }

  /// Tensors of the source that no part of the model uses; a packed form leaves them out.
  package var unexpected: [String] { loader.unexpected }

  /// - Parameters:
  ///   - folder: Must not exist.
  ///   - progress: Called with the bytes of every tensor that is written.
  /// - Throws: `CheckpointError` when a weight is not finite or the disk is full.
  package func write(
    to folder: String, progress: (Int) -> Void = { _ in }
  ) throws(CheckpointError) {
    var metadata: [String: String] = [:]
    if case .packed(let precision) = target {
      metadata = [
        "roc_layout": Checkpoint.panelLayout, "roc_precision": precision.rawValue,
        "roc_source_sha256": try loader.checkpoint.sha256(),
      ]
    }
    let writer = try CheckpointWriter(folder: folder)
    // One file, so that nothing but its header stands before the panels.
    let isPacked = !metadata.isEmpty
    try writer.write(
      plans, metadata: metadata,
      shardSize: isPacked ? Int.max : CheckpointWriter.shardSize, texts: [:],
      copies: loader.checkpoint.companionPaths, progress: progress)
  }

  private var plans: [TensorPlan] {
    switch target {
    case .plain(let dtype): loader.checkpoint.names.compactMap { plain($0, dtype) }
    // Panels are multiples of 64 bytes: before all others they stay aligned.
    case .packed:
      loader.requests.compactMap(panels) + loader.requests.compactMap(values)
    }
  }

  private func weights(_ tensor: Tensor) throws(CheckpointError) -> RawWeights {
    let rows = tensor.shape.first ?? 1
    let raw = tensor.weights(rows: rows, columns: tensor.shape.dropFirst().reduce(1, *))
    guard let update = loader.checkpoint.update(of: tensor.name) else { return raw }
    guard let merged = update.merged(into: raw, compute: compute) else {
      throw CheckpointError("tensor \(tensor.name): its adapter is not finite")
    }
    return merged
  }

  private func plain(_ name: String, _ dtype: DType) -> TensorPlan? {
    guard let tensor = loader.checkpoint[name] else { return nil }
    let isFloat = [.f32, .f16, .bf16].contains(tensor.dtype)
    if !isFloat || (tensor.dtype == dtype && loader.checkpoint.update(of: name) == nil) {
      return TensorPlan(copying: tensor)
    }
    return TensorPlan(name: name, dtype: dtype, shape: tensor.shape) {
      sink throws(CheckpointError) in
      let weights = try weights(tensor)
      let count = weights.rows * weights.columns
      for first in stride(from: 0, to: count, by: 1 << 22) {
        let values = weights.widened(from: first, count: min(count - first, 1 << 22))
        let rounded = narrowed(values, to: dtype)
        // A finite value beyond the range of f16 would silently become infinite.
        if dtype == .f16, values.contains(where: { $0.isFinite && !Float16($0).isFinite }) {
          throw CheckpointError(
            "tensor \(name) has values beyond 65504, the largest of f16; use bf16 or f32")
        }
        try sink.write(rounded)
      }
      weights.forget()
    }
  }

  private func panels(_ request: TensorRequest) -> TensorPlan? {
    guard case .matrix(let outputs, let inputs, let precision) = request.use,
      let tensor = loader.checkpoint[request.name]
    else { return nil }
    let bytes = precision.packedBytes(outputs: outputs, inputs: inputs)
    return TensorPlan(
      name: Checkpoint.panelName(request.name, precision), dtype: .u8, shape: [bytes]
    ) { sink throws(CheckpointError) in
      let weights = try weights(tensor)
      guard
        let packed = PackedWeights(
          weights.reshaped(rows: outputs, columns: inputs), precision: precision, compute: compute)
      else {
        throw CheckpointError("tensor \(request.name) holds infinite or NaN values")
      }
      try packed.withPanels { panels throws(CheckpointError) in try sink.write(panels) }
      weights.forget()
    }
  }

  private func values(_ request: TensorRequest) -> TensorPlan? {
    guard request.precision == nil, let tensor = loader.checkpoint[request.name] else { return nil }
    guard loader.checkpoint.update(of: request.name) != nil else {
      return TensorPlan(copying: tensor)
    }
    return plain(request.name, .f32)
  }
}
