/// Operations on each row of a matrix by itself.
extension Compute {
  /// (x - mean) / sqrt(variance + eps) · weight + bias, row by row.
  package func layerNorm(
    _ x: borrowing Matrix, weight: Parameter, bias: Parameter, epsilon: Float
  ) -> Matrix {
    precondition(
      weight.count == x.columns && bias.count == x.columns,
      "LayerNorm of \(weight.count) values over rows of \(x.columns)")
    let y = matrix(x.rows, x.columns)
    device.layerNorm(
      NormJob(
        x: x.values, m: x.rows, n: x.columns, weight: weight.values, epsilon: epsilon, y: y.values),
      bias: bias.values)
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
    let y = matrix(x.rows, x.columns)
    var start = 0
    for (rows, vector) in weights where rows > 0 {
      precondition(
        vector.count == x.columns, "RMSNorm of \(vector.count) values over rows of \(x.columns)")
      device.rmsNorm(
        NormJob(
          x: x.row(start), m: rows, n: x.columns, weight: vector.values, epsilon: epsilon,
          y: y.row(start)))
      start += rows
    }
    return y
  }

  /// Softmax of a vector.
  package func softmax(_ values: [Float]) -> [Float] { device.softmax(values) }

  /// Half rotation of pairs (i, i + width/2) in every head of some rows, in place.
  ///
  /// - Parameters:
  ///   - x: [M, _], the heads to turn from the first column on.
  ///   - rows: The rows to turn, all when nil.
  ///   - heads: Heads to turn in a row, each as wide as the table's.
  ///   - positions: cos and sin, each [positions, width / 2].
  ///   - first: The position of the first of these rows.
  package func rotate(
    _ x: borrowing Matrix, rows: Range<Int>? = nil, heads: Int, positions: borrowing RotaryTable,
    first: Int
  ) {
    let rows = rows ?? 0..<x.rows
    let width = 2 * positions.cosine.columns
    precondition(
      rows.upperBound <= x.rows && first + rows.count <= positions.count
        && heads * width <= x.columns,
      """
      positions \(first)..<\(first + rows.count) of a table of \(positions.count) for \(heads) heads \
      of \(width) in \(x.columns) columns
      """)
    guard !rows.isEmpty else { return }
    device.rotate(
      RotationJob(
        x: x.row(rows.lowerBound), m: rows.count, stride: x.columns, heads: heads, width: width,
        cosine: positions.cosine.row(first), sine: positions.sine.row(first)))
  }
}

/// Rows that change places.
extension Compute {
  /// Copies rows of one matrix over those of another.
  ///
  /// - Parameters:
  ///   - x: [_, N].
  ///   - rows: The rows of `x` to copy, all when nil.
  ///   - y: [_, N].
  ///   - start: Where they go.
  package func copy(
    _ x: borrowing Matrix, rows: Range<Int>? = nil, into y: borrowing Matrix, at start: Int = 0
  ) {
    let rows = rows ?? 0..<x.rows
    precondition(
      x.columns == y.columns && rows.upperBound <= x.rows && start + rows.count <= y.rows,
      "rows \(rows) of \(x.rows) x \(x.columns) to \(start) of \(y.rows) x \(y.columns)")
    guard !rows.isEmpty else { return }
    device.copy(x.row(rows.lowerBound), to: y.row(start), rows.count * x.columns)
  }

  /// Writes a parameter's values over rows of a matrix.
  package func copy(_ parameter: Parameter, into y: borrowing Matrix, at start: Int = 0) {
    precondition(
      parameter.count % max(y.columns, 1) == 0
        && start + parameter.count / max(y.columns, 1) <= y.rows,
      "\(parameter.count) values into rows of \(y.columns)")
    guard parameter.count > 0 else { return }
    device.copy(parameter.values, to: y.row(start), parameter.count)
  }

  /// y += x, for all rows of x and those of y from `start` on.
  package func add(_ x: borrowing Matrix, to y: borrowing Matrix, at start: Int = 0) {
    precondition(
      x.columns == y.columns && start + x.rows <= y.rows,
      "\(x.rows) x \(x.columns) to \(start) of \(y.rows) x \(y.columns)")
    guard x.count > 0 else { return }
    device.add(x.values, x.count, to: y.row(start))
  }

  /// y += the parameter's values, which are those of whole rows.
  package func add(_ parameter: Parameter, to y: borrowing Matrix, at start: Int = 0) {
    precondition(
      parameter.count % max(y.columns, 1) == 0
        && start + parameter.count / max(y.columns, 1) <= y.rows,
      "\(parameter.count) values to rows of \(y.columns)")
    guard parameter.count > 0 else { return }
    device.add(parameter.values, parameter.count, to: y.row(start))
  }

  /// The same values in the same order as rows of another length.
  package func reshaped(_ x: borrowing Matrix, columns: Int) -> Matrix {
    precondition(
      columns > 0 && x.count % columns == 0, "\(x.rows) x \(x.columns) as rows of \(columns)")
    let y = matrix(x.count / columns, columns)
    if x.count > 0 { device.copy(x.values, to: y.values, x.count) }
    return y
  }

  /// Multiplies all values by one factor.
  package func scale(_ x: borrowing Matrix, by factor: Float) {
    device.scale(x.values, x.count, by: factor)
  }

  /// The patches of a picture as rows of [channel, y, x]: a convolution without overlap becomes one
  /// product.
  ///
  /// - Parameters:
  ///   - pixels: [channels, height · width].
  ///   - width: Pixels of a row of the picture; `patch` divides width and height.
  ///   - patch: The edge of a patch.
  ///   - y: Where the rows go, [_, channels · patch²].
  ///   - start: The first of these rows.
  package func patches(
    _ pixels: borrowing Matrix, width: Int, patch: Int, into y: borrowing Matrix, at start: Int = 0
  ) {
    let height = pixels.columns / max(width, 1)
    precondition(
      pixels.columns == height * width && width % patch == 0 && height % patch == 0
        && y.columns == pixels.rows * patch * patch
        && start + (height / patch) * (width / patch) <= y.rows,
      "patches of \(patch) in \(pixels.rows) x \(pixels.columns) into \(y.rows) x \(y.columns)")
    device.patches(
      PatchJob(
        pixels: pixels.values, channels: pixels.rows, height: height, width: width, patch: patch,
        rows: y.row(start)))
  }
}
