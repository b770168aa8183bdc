import CRocKernels

/// Weights as a checkpoint holds them: row-major values of one float format, borrowed.
package struct RawWeights {
  package let bytes: UnsafeRawBufferPointer
  package let dtype: DType
  package let rows: Int
  package let columns: Int

  /// - Parameters:
  ///   - bytes: rows · columns values, at any alignment.
  ///   - dtype: `f32`, `f16` or `bf16`.
  ///   - rows: Output features.
  ///   - columns: Input features.
  package init(bytes: UnsafeRawBufferPointer, dtype: DType, rows: Int, columns: Int) {
    precondition(
      bytes.count == rows * columns * dtype.size,
      "\(bytes.count) bytes for \(rows) x \(columns) of \(dtype.rawValue)")
    self.bytes = bytes
    self.dtype = dtype
    self.rows = rows
    self.columns = columns
  }

  /// The values widened to float32.
  package var widened: [Float] {
    guard let base = bytes.baseAddress else { return [] }
    return Array(unsafeUninitializedCapacity: rows * columns) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      roc_widen(base, dtype.kernelType, rows * columns, start)
      count = rows * columns
    }
  }
}

extension DType {
  /// The kernels' name of a float format.
  fileprivate var kernelType: roc_dtype {
    switch self {
    case .f32: ROC_F32
    case .f16: ROC_F16
    case .bf16: ROC_BF16
    default: preconditionFailure("weights of \(rawValue) are not computed with")
    }
  }
}

/// y = x · Wᵀ + b with W packed in panels of 64 output features.
@safe
package final class Linear: @unchecked Sendable {
  package let inputs: Int
  package let outputs: Int
  private let packed: Matrix
  private let bias: [Float]?

  /// Packs `weights` [outputs, inputs] as float32.
  package init(_ weights: RawWeights, bias: [Float]?, compute: Compute) {
    inputs = weights.columns
    outputs = weights.rows
    self.bias = bias
    precondition(
      bias.map { $0.count == weights.rows } ?? true, "a bias for other than \(weights.rows) rows")
    packed = Matrix(rows: 1, columns: roc_packed_count(outputs, inputs))
    if let base = weights.bytes.baseAddress {
      roc_pack(
        compute.team, base, weights.dtype.kernelType, outputs, inputs, packed.values)
    }
  }

  /// Weights that were never read: it has sizes and cannot be applied.
  package init(placeholder outputs: Int, _ inputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
    bias = nil
    packed = Matrix(rows: 0, columns: 0)
  }

  /// - Parameters:
  ///   - x: [M, inputs].
  ///   - rows: The rows of `x` to use, all when nil.
  ///   - compute: Kernels and threads.
  /// - Returns: [rows, outputs].
  package func callAsFunction(
    _ x: borrowing Matrix, rows: Range<Int>? = nil, _ compute: Compute
  ) -> Matrix {
    let rows = rows ?? 0..<x.rows
    let y = Matrix(rows: rows.count, columns: outputs)
    apply(x, rows: rows, into: y, at: 0, compute)
    return y
  }

  /// Writes the products of `rows` of `x` to `y`, from row `start`.
  package func apply(
    _ x: borrowing Matrix, rows: Range<Int>, into y: borrowing Matrix, at start: Int,
    _ compute: Compute
  ) {
    precondition(x.columns == inputs, "rows of \(x.columns) for weights [\(outputs), \(inputs)]")
    precondition(
      rows.upperBound <= x.rows && start + rows.count <= y.rows && y.columns == outputs,
      "rows \(rows) of \(x.rows) into \(y.rows) x \(y.columns) at \(start)")
    precondition(packed.rows == 1, "weights [\(outputs), \(inputs)] that were never read")
    guard !rows.isEmpty else { return }
    let input = x.row(rows.lowerBound)
    let output = y.row(start)
    if let bias {
      roc_linear(
        compute.team, compute.kernels, input, inputs, rows.count, packed.values, outputs, inputs,
        bias, output, outputs)
    } else {
      roc_linear(
        compute.team, compute.kernels, input, inputs, rows.count, packed.values, outputs, inputs,
        nil, output, outputs)
    }
  }
}
