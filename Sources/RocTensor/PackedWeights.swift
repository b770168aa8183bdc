import CRocKernels
package import RocFiles

/// Weights laid out for the kernels in panels of 64 outputs: packed here, or mapped from a file
/// that holds them so.
@safe
package final class PackedWeights: @unchecked Sendable {
  /// Where the panels lie, and what keeps them there.
  private enum Storage {
    case owned(UnsafeMutableRawPointer)
    case mapped(MappedFile, Int)
    /// The panels are the parameter's values.
    case parameter(Parameter)
  }

  package let precision: Precision
  package let outputs: Int
  package let inputs: Int
  private let storage: Storage
  /// The float32 weights that training moves; nil when they are fixed.
  package let parameter: Parameter?

  /// Rounds and packs weights [outputs, inputs].
  ///
  /// - Returns: Nil when a value is infinite or NaN.
  package init?(_ weights: RawWeights, precision: Precision, compute: Compute) {
    self.precision = precision
    outputs = weights.rows
    inputs = weights.columns
    let bytes = precision.packedBytes(outputs: outputs, inputs: inputs)
    let panels = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
    let isFinite = weights.withValues {
      compute.device.pack(
        $0, weights.dtype.kernelType, outputs: weights.rows, inputs: weights.columns,
        as: precision.kernelType, into: panels)
    }
    storage = .owned(panels)
    parameter = nil
    if !isFinite { return nil }
  }

  /// Weights [outputs, inputs] to be trained: float32 panels, which products use as they are or
  /// rounded to bfloat16 by `refresh`.
  ///
  /// - Returns: Nil when a value is infinite or NaN.
  package init?(training weights: RawWeights, precision: Precision, compute: Compute) {
    precondition(precision != .int8, "8-bit weights are not trained")
    self.precision = precision
    outputs = weights.rows
    inputs = weights.columns
    let parameter = Parameter(outputs: weights.rows, inputs: weights.columns)
    let isFinite = weights.withValues {
      compute.device.pack(
        $0, weights.dtype.kernelType, outputs: weights.rows, inputs: weights.columns, as: ROC_F32,
        into: parameter.values)
    }
    self.parameter = parameter
    if precision == .f32 {
      storage = .parameter(parameter)
    } else {
      let bytes = precision.packedBytes(outputs: outputs, inputs: inputs)
      storage = .owned(.allocate(byteCount: max(bytes, 64), alignment: 64))
    }
    if !isFinite { return nil }
    refresh(compute)
  }

  /// Rounds the weights anew after their parameter was moved.
  package func refresh(_ compute: Compute) {
    guard let parameter, case .owned(let panels) = storage else { return }
    compute.device.round(parameter.values, outputs: outputs, inputs: inputs, into: panels)
  }

  /// Panels in a file, `packedBytes` from `start`, which must be a multiple of 64.
  package init(file: MappedFile, start: Int, precision: Precision, outputs: Int, inputs: Int) {
    let bytes = precision.packedBytes(outputs: outputs, inputs: inputs)
    precondition(
      start % 64 == 0 && start >= 0 && start + bytes <= file.count,
      "panels of \(bytes) bytes at \(start) of \(file.count)")
    self.precision = precision
    self.outputs = outputs
    self.inputs = inputs
    storage = .mapped(file, start)
    parameter = nil
  }

  deinit {
    if case .owned(let panels) = storage { panels.deallocate() }
  }

  /// Lends the panels.
  package func withPanels<Value: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { extendLifetime(self) }
    let bytes = precision.packedBytes(outputs: outputs, inputs: inputs)
    switch storage {
    case .owned(let panels):
      return try body(UnsafeRawBufferPointer(start: panels, count: bytes))
    case .parameter(let parameter):
      return try body(UnsafeRawBufferPointer(start: parameter.values, count: bytes))
    case .mapped(let file, let start):
      return try file.withBytes { contents throws(Failure) in
        try body(UnsafeRawBufferPointer(rebasing: contents[start..<start + bytes]))
      }
    }
  }
}
