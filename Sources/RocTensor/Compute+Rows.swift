import CRocKernels

/// Operations on each row of a matrix by itself.
extension Compute {
  /// (x - mean) / sqrt(variance + eps) · weight + bias, row by row.
  package func layerNorm(
    _ x: borrowing Matrix, weight: Parameter, bias: Parameter, epsilon: Float
  ) -> Matrix {
    precondition(
      weight.count == x.columns && bias.count == x.columns,
      "LayerNorm of \(weight.count) values over rows of \(x.columns)")
    let y = Matrix(uninitialized: x.rows, x.columns)
    roc_layer_norm_rows(
      team, kernels, x.values, x.rows, x.columns, weight.values, bias.values, epsilon, y.values)
    return y
  }

  /// x / sqrt(mean(x²) + eps) · weight, row by row.
  ///
  /// - Parameters:
  ///   - x: [M, N].
  ///   - weights: Stretches of rows and the vector of N values that each takes; together M rows.
  ///   - epsilon: Keeps rows of zeros finite.
  /// - Returns: [M, N].
  package func rmsNorm(
    _ x: borrowing Matrix, weights: [(rows: Int, vector: Parameter)], epsilon: Float
  ) -> Matrix {
    precondition(
      weights.reduce(0) { $0 + $1.rows } == x.rows, "RMSNorm of other than \(x.rows) rows")
    let y = Matrix(uninitialized: x.rows, x.columns)
    var start = 0
    for (rows, vector) in weights where rows > 0 {
      precondition(
        vector.count == x.columns, "RMSNorm of \(vector.count) values over rows of \(x.columns)")
      roc_rms_norm_rows(
        team, kernels, x.row(start), rows, x.columns, vector.values, epsilon, y.row(start))
      start += rows
    }
    return y
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
    roc_rotate_rows(
      team, kernels, x.values, x.rows, heads, x.columns / heads, positions.cosine.row(first),
      positions.sine.row(first))
  }
}
