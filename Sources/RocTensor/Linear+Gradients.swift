import CRocKernels

/// Derivatives of y = x · Wᵀ + b.
extension Linear {
  /// Adds to the gradients of the weights and the bias, where they are trained, and gives or adds
  /// to that of the input.
  ///
  /// - Parameters:
  ///   - dy: Gradient of the result; its rows `rows` belong to the rows of `x` from `start` on.
  ///   - rows: All of `dy` when nil.
  ///   - x: The input of the forward pass.
  ///   - start: The first row of `x`, and of `dx`.
  ///   - dx: Rows as `x`.
  ///   - adds: Whether `dx` is added to instead of written.
  ///   - compute: Kernels and threads.
  package func backward(
    _ dy: borrowing Matrix, rows: Range<Int>? = nil, of x: borrowing Matrix, at start: Int = 0,
    into dx: borrowing Matrix, adds: Bool = false, _ compute: Compute
  ) {
    let rows = rows ?? 0..<dy.rows
    guard !rows.isEmpty else { return }
    addGradients(dy, rows: rows, of: x, at: start, compute)
    inputGradient(dy, rows: rows, into: dx, at: start, adds: adds, compute)
    lowRankBackward(dy, rows: rows, of: x, at: start, into: dx, compute)
  }

  /// Adds to the gradients of the weights and the bias.
  package func addGradients(
    _ dy: borrowing Matrix, rows: Range<Int>? = nil, of x: borrowing Matrix, at start: Int = 0,
    _ compute: Compute
  ) {
    let rows = rows ?? 0..<dy.rows
    guard !rows.isEmpty else { return }
    precondition(
      dy.columns == outputs && x.columns == inputs && rows.upperBound <= dy.rows
        && start + rows.count <= x.rows,
      "gradient \(dy.rows) x \(dy.columns) for weights [\(outputs), \(inputs)]")
    if let gradient = weights?.parameter?.gradient {
      compute.device.weightGradient(
        roc_weight_gradient(
          dy: dy.row(rows.lowerBound), ldy: outputs, m: rows.count, x: x.row(start), ldx: inputs,
          n: outputs, k: inputs, panels: gradient))
    }
    if let gradient = bias?.gradient {
      compute.device.addColumns(
        dy.row(rows.lowerBound), rows: rows.count, columns: outputs, to: gradient)
    }
  }

  /// The input's gradient: dx = dy · W, or dx += dy · W.
  package func inputGradient(
    _ dy: borrowing Matrix, rows: Range<Int>? = nil, into dx: borrowing Matrix, at start: Int = 0,
    adds: Bool = false, _ compute: Compute
  ) {
    let rows = rows ?? 0..<dy.rows
    guard !rows.isEmpty else { return }
    precondition(
      dy.columns == outputs && dx.columns == inputs && start + rows.count <= dx.rows,
      "gradient \(dy.rows) x \(dy.columns) for weights [\(outputs), \(inputs)]")
    guard let weights else {
      preconditionFailure("weights [\(outputs), \(inputs)] that were never read")
    }
    weights.withPanels { panels in
      guard let panels = panels.baseAddress else { return }
      compute.device.inputGradient(
        roc_input_gradient(
          dy: dy.row(rows.lowerBound), ldy: outputs, m: rows.count, packed: panels,
          format: weights.precision.kernelType, n: outputs, k: inputs, dx: dx.row(start),
          ldx: inputs, adds: adds ? 1 : 0))
    }
  }
}
