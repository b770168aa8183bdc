import CRocKernels

/// Weights as a checkpoint holds them: row-major values of one float format, borrowed.
package struct RawWeights: Sendable {
  private let file: MappedFile
  private let range: Range<Int>
  package let dtype: DType
  package let rows: Int
  package let columns: Int

  /// - Parameters:
  ///   - file: Holds the values, at any alignment.
  ///   - range: Where rows · columns values lie in it.
  ///   - dtype: `f32`, `f16` or `bf16`.
  ///   - rows: Output features.
  ///   - columns: Input features.
  package init(file: MappedFile, range: Range<Int>, dtype: DType, rows: Int, columns: Int) {
    precondition(
      range.count == rows * columns * dtype.size,
      "\(range.count) bytes for \(rows) x \(columns) of \(dtype.rawValue)")
    self.file = file
    self.range = range
    self.dtype = dtype
    self.rows = rows
    self.columns = columns
  }

  /// The same values with another split into rows and columns.
  package func reshaped(rows: Int, columns: Int) -> RawWeights {
    RawWeights(file: file, range: range, dtype: dtype, rows: rows, columns: columns)
  }

  /// All values widened to float32.
  package var widened: [Float] { widened(from: 0, count: rows * columns) }

  /// The values of one row, widened to float32.
  package func widened(row: Int) -> [Float] { widened(from: row * columns, count: columns) }

  private func widened(from first: Int, count: Int) -> [Float] {
    guard count > 0 else { return [] }
    return withValues { values in
      Array(unsafeUninitializedCapacity: count) { buffer, filled in
        guard let start = buffer.baseAddress else { return }
        roc_widen(values + first * dtype.size, dtype.kernelType, count, start)
        filled = count
      }
    }
  }

  /// Lends the first value's address; there must be values.
  func withValues<Value>(_ body: (UnsafeRawPointer) -> Value) -> Value {
    file.withBytes { bytes in
      guard let base = bytes.baseAddress else { preconditionFailure("weights in an empty file") }
      return body(base + range.lowerBound)
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
    let packed = Matrix(rows: 1, columns: roc_packed_count(outputs, inputs))
    weights.withValues {
      roc_pack(
        compute.team, $0, weights.dtype.kernelType, weights.rows, weights.columns, packed.values)
    }
    self.packed = packed
  }

  /// Weights that were never read: it has sizes and cannot be applied.
  package init(unread outputs: Int, _ inputs: Int) {
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
