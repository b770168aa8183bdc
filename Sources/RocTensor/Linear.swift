import CRocKernels

/// What becomes of a product before it is stored; saves a pass over the result.
package enum Finish: Sendable {
  /// y = x · Wᵀ + b
  case store
  /// y = y + x · Wᵀ + b, the residual connection.
  case add
  /// y = quick-GELU of x · Wᵀ + b
  case quickGELU
  /// y = GELU of x · Wᵀ + b, by the error function
  case gelu
  /// y = silu(y) · (x · Wᵀ + b), where y holds the gate.
  case siluGate

  fileprivate var kernelType: roc_finish {
    switch self {
    case .store: ROC_STORE
    case .add: ROC_ADD
    case .quickGELU: ROC_QUICK_GELU
    case .gelu: ROC_GELU
    case .siluGate: ROC_SILU_GATE
    }
  }
}

/// y = x · Wᵀ + b with packed weights.
package struct Linear: Sendable {
  package let inputs: Int
  package let outputs: Int
  package let weights: PackedWeights?
  package let bias: Parameter?
  /// What training adds to fixed weights.
  private let lowRank: LowRank?

  /// - Parameters:
  ///   - weights: [outputs, inputs].
  ///   - bias: [outputs] or nil.
  ///   - lowRank: An update beside the weights.
  package init(_ weights: PackedWeights, bias: Parameter?, lowRank: LowRank? = nil) {
    precondition(
      bias.map { $0.count == weights.outputs } ?? true,
      "a bias for other than \(weights.outputs) outputs")
    inputs = weights.inputs
    outputs = weights.outputs
    self.weights = weights
    self.bias = bias
    self.lowRank = lowRank
  }

  /// A layer whose weights were never read: it has sizes but cannot be applied.
  package init(unread outputs: Int, _ inputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
    weights = nil
    bias = nil
    lowRank = nil
  }

  /// - Parameters:
  ///   - x: [M, inputs].
  ///   - rows: The rows of `x` to use, all when nil.
  ///   - finish: `store`, `quickGELU` or `gelu`.
  ///   - compute: Kernels and threads.
  /// - Returns: [rows, outputs].
  package func callAsFunction(
    _ x: borrowing Matrix, rows: Range<Int>? = nil, finish: Finish = .store, _ compute: Compute
  ) -> Matrix {
    precondition(finish != .add && finish != .siluGate, "\(finish) of a result without values")
    let rows = rows ?? 0..<x.rows
    let y = compute.matrix(rows.count, outputs)
    apply(x, rows: rows, into: y, at: 0, finish: finish, compute)
    return y
  }

  /// Writes the products of all rows of `x` to `y`, finished.
  package func apply(
    _ x: borrowing Matrix, into y: borrowing Matrix, finish: Finish, _ compute: Compute
  ) {
    apply(x, rows: 0..<x.rows, into: y, at: 0, finish: finish, compute)
  }

  /// Writes the products of `rows` of `x` to `y`, from row `start`.
  package func apply(
    _ x: borrowing Matrix, rows: Range<Int>, into y: borrowing Matrix, at start: Int,
    finish: Finish = .store, _ compute: Compute
  ) {
    precondition(x.columns == inputs, "rows of \(x.columns) for weights [\(outputs), \(inputs)]")
    precondition(
      rows.upperBound <= x.rows && start + rows.count <= y.rows && y.columns == outputs,
      "rows \(rows) of \(x.rows) into \(y.rows) x \(y.columns) at \(start)")
    guard !rows.isEmpty else { return }
    guard let lowRank else {
      return multiply(x, rows: rows, into: y, at: start, finish: finish, compute)
    }
    switch finish {
    case .store, .add:
      multiply(x, rows: rows, into: y, at: start, finish: finish, compute)
      lowRank.add(x, rows: rows, to: y, at: start, compute)
    case .quickGELU, .gelu, .siluGate:
      // The update belongs to what the activation sees.
      let sum = compute.matrix(rows.count, outputs)
      multiply(x, rows: rows, into: sum, at: 0, finish: .store, compute)
      lowRank.add(x, rows: rows, to: sum, at: 0, compute)
      switch finish {
      case .quickGELU: compute.copy(compute.quickGELU(sum), into: y, at: start)
      case .gelu: compute.copy(compute.gelu(sum), into: y, at: start)
      default:
        let gate = y.copy(rows: start..<start + rows.count)
        compute.copy(compute.siluGate(gate, sum), into: y, at: start)
      }
    }
  }

  private func multiply(
    _ x: borrowing Matrix, rows: Range<Int>, into y: borrowing Matrix, at start: Int,
    finish: Finish, _ compute: Compute
  ) {
    guard let weights else {
      preconditionFailure("weights [\(outputs), \(inputs)] that were never read")
    }
    let input = x.row(rows.lowerBound)
    let output = y.row(start)
    weights.withPanels { panels in
      guard let panels = panels.baseAddress else { return }
      compute.device.product(
        roc_product(
          a: input, lda: inputs, m: rows.count, packed: panels,
          format: weights.precision.kernelType, n: outputs, k: inputs,
          bias: bias.map { UnsafePointer($0.values) }, finish: finish.kernelType, c: output,
          ldc: outputs))
    }
  }
}

/// Derivatives of what stands beside the weights.
extension Linear {
  func lowRankBackward(
    _ dy: borrowing Matrix, rows: Range<Int>, of x: borrowing Matrix, at start: Int,
    into dx: borrowing Matrix, _ compute: Compute
  ) {
    guard let lowRank else { return }
    lowRank.backward(
      dy.copy(rows: rows), of: x.copy(rows: start..<start + rows.count), into: dx, at: start,
      compute)
  }
}
