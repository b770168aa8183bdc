import CRocKernels

/// Derivatives. Each takes the gradient of an operation's result and gives, or adds to, the
/// gradients of its inputs and parameters.
extension Compute {
  /// Of `layerNorm` or, without a bias, `rmsNorm`: adds to `dx` and to the parameters' gradients.
  ///
  /// - Parameters:
  ///   - dy: [M, N].
  ///   - x: What was normalised, [M, N].
  ///   - rows: The rows of `x`, `dy` and `dx` that the parameters were applied to.
  ///   - weight: [N].
  ///   - bias: [N] for LayerNorm, nil for RMSNorm.
  ///   - epsilon: As in the forward pass.
  ///   - dx: [M, N].
  package func normGradient(
    _ dy: borrowing Matrix, of x: borrowing Matrix, rows: Range<Int>? = nil, weight: Parameter,
    bias: Parameter?, epsilon: Float, into dx: borrowing Matrix
  ) {
    let rows = rows ?? 0..<x.rows
    guard !rows.isEmpty else { return }
    precondition(
      x.columns == weight.count && dy.columns == x.columns && dx.columns == x.columns
        && dy.rows == x.rows && dx.rows == x.rows && rows.upperBound <= x.rows,
      "gradient \(dy.rows) x \(dy.columns) of a norm over \(x.rows) x \(x.columns)")
    let products = Matrix(uninitialized: rows.count, x.columns)
    let start = rows.lowerBound
    roc_norm_gradient_rows(
      team, kernels, x.row(start), dy.row(start), rows.count, x.columns, weight.values, epsilon,
      bias == nil ? 0 : 1, dx.row(start), products.values, weight.gradient, bias?.gradient)
  }

  /// Quick-GELU: y = x · sigmoid(1.702 x).
  package func quickGELU(_ x: borrowing Matrix) -> Matrix {
    let y = Matrix(uninitialized: x.rows, x.columns)
    roc_quick_gelu(team, kernels, x.values, x.count, y.values)
    return y
  }

  /// Turns `gradient`, that of `quickGELU(x)`, into that of `x`.
  package func quickGELUGradient(_ gradient: borrowing Matrix, of x: borrowing Matrix) {
    roc_quick_gelu_gradient(team, kernels, x.values, gradient.values, x.count)
  }

  /// The gated product: y = silu(gate) · up.
  package func siluGate(_ gate: borrowing Matrix, _ up: borrowing Matrix) -> Matrix {
    let y = Matrix(uninitialized: gate.rows, gate.columns)
    roc_silu_gate(team, kernels, gate.values, up.values, gate.count, y.values)
    return y
  }

  /// Turns `gate` and `up` into their own gradients, given that of `siluGate(gate, up)`.
  package func siluGateGradient(
    _ gradient: borrowing Matrix, of gate: borrowing Matrix, _ up: borrowing Matrix
  ) {
    roc_silu_gate_gradient(
      team, kernels, gate.values, up.values, gradient.values, gate.count)
  }

  /// Adds the columns of `x` to a parameter's gradient, when it has one.
  package func addColumns(of x: borrowing Matrix, to parameter: Parameter?) {
    guard let gradient = parameter?.gradient, x.rows > 0 else { return }
    roc_add_columns(team, kernels, x.values, x.rows, x.columns, gradient)
  }

  /// The gradients of `attend`'s inputs.
  ///
  /// - Parameters:
  ///   - gradient: Of the result, [queries, heads · width].
  ///   - query: As in the forward pass.
  ///   - key: As in the forward pass.
  ///   - value: As in the forward pass.
  ///   - dQuery: Written; laid out as `query`.
  ///   - dKey: Added to; laid out as `key`.
  ///   - dValue: Added to; laid out as `value`.
  ///   - shape: Sizes, as in the forward pass.
  package func attendGradient(
    _ gradient: borrowing Matrix, query: HeadLayout, key: HeadLayout, value: HeadLayout,
    dQuery: UnsafeMutablePointer<Float>, dKey: UnsafeMutablePointer<Float>,
    dValue: UnsafeMutablePointer<Float>, shape: AttentionShape
  ) {
    shape.withKernelShape(
      query: query, key: key, value: value, output: gradient.values
    ) { kernelShape in
      var job = roc_attention_gradient(
        shape: kernelShape, d_output: gradient.values, d_query: dQuery, d_key: dKey,
        d_value: dValue)
      let scratch = Matrix(uninitialized: threads, roc_attention_gradient_scratch(&job.shape))
      roc_attend_gradient(team, kernels, &job, scratch.values)
    }
  }
}

extension Compute {
  /// Adds all values of `x` to a parameter's gradient, when it has one.
  package func add(_ x: borrowing Matrix, to parameter: Parameter) {
    guard let gradient = parameter.gradient else { return }
    precondition(x.count == parameter.count, "\(x.count) values for \(parameter.count)")
    roc_add_columns(team, kernels, x.values, 1, x.count, gradient)
  }
}
