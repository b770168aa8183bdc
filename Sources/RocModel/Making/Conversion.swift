import RocCheckpoint
import RocJSON
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
  ///   - base: What an adapter is put on; what its settings name when nil.
  /// - Throws: `ModelError` when the source does not fit its config or is packed already.
  package init(
    source: String, target: Target, compute: Compute, base: String? = nil
  ) throws(ModelError) {
    let precision: Precision
    if case .packed(let packed) = target { precision = packed } else { precision = .f32 }
    let loader = try ModelLoader(
      folder: source, compute: compute, precision: precision, base: base)
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

  /// What was done to the source's files to read them.
  package var notes: [String] { loader.checkpoint.notes }

  /// - Parameters:
  ///   - folder: Must not exist.
  ///   - progress: Called with the bytes written so far and the total; false stops.
  /// - Throws: `ModelError` when the folder exists, a weight is not finite or the disk is full.
  package func write(
    to folder: String, progress: (Int, Int) -> Bool = { _, _ in true }
  ) throws(ModelError) {
    // First, because hashing a large source takes a while.
    let writer = try creating(folder)
    do throws(CheckpointError) {
      try write(with: writer, progress)
    } catch {
      throw [.unusable, .machine].contains(error.kind) ? ModelError(error) : .output(error)
    }
  }

  private func write(
    with writer: CheckpointWriter, _ progress: (Int, Int) -> Bool
  ) throws(CheckpointError) {
    var metadata: [String: String] = [:]
    var texts: [String: [UInt8]] = [:]
    switch target {
    case .packed(let precision):
      metadata = [
        "roc_layout": Checkpoint.panelLayout, "roc_precision": precision.rawValue,
        "roc_source_sha256": try loader.checkpoint.sha256(),
      ]
      texts["config.json"] = TokenizerFiles.bytes(.object(try loader.configuration(dtype: nil)))
    case .plain(let dtype):
      texts["config.json"] = TokenizerFiles.bytes(
        .object(try loader.configuration(dtype: dtype)))
    }
    // One file, so that nothing but its header stands before the panels.
    var contents = CheckpointContents(
      weights: plans, texts: texts, copies: loader.checkpoint.otherFiles)
    contents.metadata = metadata
    if !metadata.isEmpty { contents.shardSize = .max }
    try writer.write(contents, progress: progress)
  }

  private var plans: [TensorPlan] {
    switch target {
    case .plain(let dtype): loader.checkpoint.ownNames.compactMap { plain($0, dtype) }
    // Panels are multiples of 64 bytes: placed before all others, they stay aligned.
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
    if !isFloat {
      return TensorPlan(copying: tensor)
    }
    return TensorPlan(name: name, dtype: dtype, shape: tensor.shape) {
      sink throws(CheckpointError) in
      let weights = try weights(tensor)
      guard weights.isFinite(compute) else {
        throw CheckpointError("tensor \(name) holds infinite or NaN values")
      }
      let count = weights.rows * weights.columns
      for first in stride(from: 0, to: count, by: 1 << 22) {
        let values = weights.widened(from: first, count: min(count - first, 1 << 22))
        let rounded = narrowed(values, to: dtype)
        // A finite value beyond the range of f16 would silently become infinite.
        if dtype == .f16, values.contains(where: { $0.isFinite && !Float16($0).isFinite }) {
          throw CheckpointError(
            "tensor \(name) has values beyond 65504, the largest of f16; use bf16 or f32", .output)
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
