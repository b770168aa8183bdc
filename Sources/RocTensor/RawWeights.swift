import CRocKernels
package import RocFiles

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

  /// Copies float32 values.
  ///
  /// - Returns: Nil when the system has no memory for them.
  package init?(copying values: [Float], rows: Int, columns: Int, _ name: String) {
    let copy = values.withUnsafeBytes { source in
      try? MappedFile(memory: name, count: source.count) { $0.copyMemory(from: source) }
    }
    guard let copy else { return nil }
    self.init(file: copy, range: 0..<copy.count, dtype: .f32, rows: rows, columns: columns)
  }

  /// Copies a matrix.
  package init?(copying matrix: borrowing Matrix, _ name: String) {
    self.init(copying: matrix.array, rows: matrix.rows, columns: matrix.columns, name)
  }

  /// The same values with another split into rows and columns.
  package func reshaped(rows: Int, columns: Int) -> RawWeights {
    RawWeights(file: file, range: range, dtype: dtype, rows: rows, columns: columns)
  }

  /// All values widened to float32.
  package var widened: [Float] { widened(from: 0, count: rows * columns) }

  /// The values of one row, widened to float32.
  package func widened(row: Int) -> [Float] { widened(from: row * columns, count: columns) }

  /// `count` values from the `first`, widened to float32.
  package func widened(from first: Int, count: Int) -> [Float] {
    precondition(first >= 0 && count >= 0 && first + count <= rows * columns)
    guard count > 0 else { return [] }
    return withValues { values in
      Array(unsafeUninitializedCapacity: count) { buffer, filled in
        guard let start = buffer.baseAddress else { return }
        roc_widen(values + first * dtype.size, dtype.kernelType, count, start)
        filled = count
      }
    }
  }

  /// Whether no value is infinite or NaN.
  package func isFinite(_ compute: Compute) -> Bool {
    guard rows * columns > 0 else { return true }
    return withValues {
      compute.device.isFinite($0, dtype.kernelType, rows * columns)
    }
  }

  /// Lets the system drop the file's pages up to the end of these values, which were used.
  package func forget() { file.forget(before: range.upperBound) }

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
  var kernelType: roc_dtype {
    switch self {
    case .f32: ROC_F32
    case .f16: ROC_F16
    case .bf16: ROC_BF16
    default: preconditionFailure("weights of \(rawValue) are not computed with")
    }
  }
}

/// Float values rounded to another format, little-endian bytes.
package func narrowed(_ values: [Float], to dtype: DType) -> [UInt8] {
  guard !values.isEmpty else { return [] }
  return Array(unsafeUninitializedCapacity: values.count * dtype.size) { buffer, filled in
    guard let start = buffer.baseAddress else { return }
    roc_narrow(values, dtype.kernelType, values.count, start)
    filled = values.count * dtype.size
  }
}
