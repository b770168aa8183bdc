import CRocKernels

/// Operations on each row of a matrix by itself.
extension Compute {
  /// (x - mean) / sqrt(variance + eps) · weight + bias, row by row.
  package func layerNorm(
    _ x: borrowing Matrix, weight: [Float], bias: [Float], epsilon: Float
  ) -> Matrix {
    precondition(
      weight.count == x.columns && bias.count == x.columns,
      "LayerNorm of \(weight.count) values over rows of \(x.columns)")
    let y = Matrix(rows: x.rows, columns: x.columns)
    for row in 0..<x.rows {
      kernels.pointee.layer_norm(x.row(row), weight, bias, epsilon, x.columns, y.row(row))
    }
    return y
  }

  /// x / sqrt(mean(x²) + eps) · weight; `weight` names the vector of each row.
  package func rmsNorm(
    _ x: borrowing Matrix, epsilon: Float, weight: (Int) -> [Float]
  ) -> Matrix {
    let y = Matrix(rows: x.rows, columns: x.columns)
    for row in 0..<x.rows {
      let vector = weight(row)
      precondition(
        vector.count == x.columns, "RMSNorm of \(vector.count) values over rows of \(x.columns)")
      kernels.pointee.rms_norm(x.row(row), vector, epsilon, x.columns, y.row(row))
    }
    return y
  }

  /// Adds `y` to `x` in place.
  package func add(_ y: borrowing Matrix, to x: borrowing Matrix) {
    precondition(
      x.rows == y.rows && x.columns == y.columns,
      "sum of \(x.rows) x \(x.columns) and \(y.rows) x \(y.columns)")
    kernels.pointee.add(x.values, y.values, x.count)
  }

  /// x += the first rows of `vectors`, row by row.
  package func addRows(_ vectors: borrowing Matrix, to x: borrowing Matrix) {
    precondition(
      x.rows <= vectors.rows && x.columns == vectors.columns,
      "rows of \(vectors.rows) x \(vectors.columns) onto \(x.rows) x \(x.columns)")
    kernels.pointee.add(x.values, vectors.values, x.count)
  }

  /// Replaces x by x · sigmoid(1.702 x).
  package func quickGELU(_ x: borrowing Matrix) {
    kernels.pointee.quick_gelu(x.values, x.count)
  }

  /// Replaces gate by silu(gate) · up.
  package func siluMultiply(_ gate: borrowing Matrix, by up: borrowing Matrix) {
    precondition(
      gate.rows == up.rows && gate.columns == up.columns,
      "product of \(gate.rows) x \(gate.columns) and \(up.rows) x \(up.columns)")
    kernels.pointee.silu_multiply(gate.values, up.values, gate.count)
  }

  /// Softmax of a vector.
  package func softmax(_ values: [Float]) -> [Float] {
    var result = values
    result.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      kernels.pointee.softmax(base, buffer.count, 1)
    }
    return result
  }

  /// Half rotation of pairs (i, i + width/2) in every head of every row.
  ///
  /// - Parameters:
  ///   - x: [M, heads · width], changed in place.
  ///   - heads: Heads in a row.
  ///   - positions: cos and sin, each [positions, width / 2].
  ///   - first: The position of row 0.
  package func rotate(
    _ x: borrowing Matrix, heads: Int, positions: borrowing RotaryTable, first: Int
  ) {
    precondition(
      first + x.rows <= positions.cosine.rows,
      "positions \(first)..<\(first + x.rows) of a table of \(positions.cosine.rows)")
    guard x.rows > 0 else { return }
    roc_rotate(
      x.values, x.columns, x.rows, heads, x.columns / heads,
      positions.cosine.row(first), positions.sine.row(first))
  }
}
