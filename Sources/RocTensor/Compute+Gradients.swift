/// What a norm over N columns is made of.
package struct NormParameters {
  /// [N].
  let weight: Parameter
  /// [N] for LayerNorm, nil for RMSNorm.
  let bias: Parameter?
  let epsilon: Float

  package init(weight: Parameter, bias: Parameter? = nil, epsilon: Float) {
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
  }
}

/// Derivatives. Each takes the gradient of an operation's result and gives, or adds to, the
/// gradients of its inputs and parameters.
extension Compute {
  /// Of `layerNorm` or, without a bias, `rmsNorm`: adds to `dx` and to the parameters' gradients.
  ///
  /// - Parameters:
  ///   - dy: [M, N].
  ///   - x: What was normalised, [M, N].
  ///   - norm: What it was normalised with.
  ///   - rows: The rows of `x`, `dy` and `dx` that the parameters were applied to.
  ///   - dx: [M, N].
  package func normGradient(
    _ dy: borrowing Matrix, of x: borrowing Matrix, _ norm: NormParameters,
    rows: Range<Int>? = nil, into dx: borrowing Matrix
  ) {
    let rows = rows ?? 0..<x.rows
    let (weight, bias) = (norm.weight, norm.bias)
    guard !rows.isEmpty else { return }
    precondition(
      x.columns == weight.count && dy.columns == x.columns && dx.columns == x.columns
        && dy.rows == x.rows && dx.rows == x.rows && rows.upperBound <= x.rows,
      "gradient \(dy.rows) x \(dy.columns) of a norm over \(x.rows) x \(x.columns)")
    let start = rows.lowerBound
    device.normGradient(
      NormGradientJob(
        x: x.row(start), dy: dy.row(start), m: rows.count, n: x.columns, weight: weight.values,
        epsilon: norm.epsilon, isCentred: bias != nil, dx: dx.row(start), dWeight: weight.gradient,
        dBias: bias?.gradient))
  }

  /// Quick-GELU: y = x · sigmoid(1.702 x).
  package func quickGELU(_ x: borrowing Matrix) -> Matrix {
    let y = matrix(x.rows, x.columns)
    device.quickGELU(x.values, x.count, into: y.values)
    return y
  }

  /// Turns `gradient`, that of `quickGELU(x)`, into that of `x`.
  package func quickGELUGradient(_ gradient: borrowing Matrix, of x: borrowing Matrix) {
    device.quickGELUGradient(gradient.values, of: x.values, x.count)
  }

  /// GELU: y = x · Φ(x) by the error function, as PyTorch's `gelu` without approximation.
  package func gelu(_ x: borrowing Matrix) -> Matrix {
    let y = matrix(x.rows, x.columns)
    device.gelu(x.values, x.count, into: y.values)
    return y
  }

  /// Turns `gradient`, that of `gelu(x)`, into that of `x`.
  package func geluGradient(_ gradient: borrowing Matrix, of x: borrowing Matrix) {
    device.geluGradient(gradient.values, of: x.values, x.count)
  }

  /// The gated product: y = silu(gate) · up.
  package func siluGate(_ gate: borrowing Matrix, _ up: borrowing Matrix) -> Matrix {
    let y = matrix(gate.rows, gate.columns)
    device.siluGate(gate.values, up.values, gate.count, into: y.values)
    return y
  }

  /// Turns `gate` and `up` into their own gradients, given that of `siluGate(gate, up)`.
  package func siluGateGradient(
    _ gradient: borrowing Matrix, of gate: borrowing Matrix, _ up: borrowing Matrix
  ) {
    device.siluGateGradient(gradient.values, gate: gate.values, up: up.values, gate.count)
  }

  /// Adds the columns of `x` to a parameter's gradient, when it has one.
  package func addColumns(of x: borrowing Matrix, to parameter: Parameter?) {
    guard let gradient = parameter?.gradient, x.rows > 0 else { return }
    device.addColumns(x.values, rows: x.rows, columns: x.columns, to: gradient)
  }

  /// Adds all values of `x` to a parameter's gradient, when it has one.
  package func add(_ x: borrowing Matrix, to parameter: Parameter) {
    guard let gradient = parameter.gradient else { return }
    precondition(x.count == parameter.count, "\(x.count) values for \(parameter.count)")
    device.addColumns(x.values, rows: 1, columns: x.count, to: gradient)
  }
}
