/// scale · B A beside fixed weights (LoRA, Hu et al., https://arxiv.org/abs/2106.09685), trained.
package final class LowRank: Sendable {
  /// A, [rank, inputs].
  package let down: PackedWeights
  /// B, [outputs, rank].
  package let up: PackedWeights
  /// alpha / rank.
  package let scale: Float
  private let dropout: Dropout
  /// Tells the masks of several updates apart.
  private let stream: UInt64

  package init(
    down: PackedWeights, up: PackedWeights, scale: Float, dropout: Dropout, stream: Int
  ) {
    precondition(down.outputs == up.inputs, "A of rank \(down.outputs), B of \(up.inputs)")
    self.down = down
    self.up = up
    self.scale = scale
    self.dropout = dropout
    self.stream = UInt64(truncatingIfNeeded: stream)
  }

  private var first: Linear { Linear(down, bias: nil) }
  private var second: Linear { Linear(up, bias: nil) }

  /// Adds scale · B A x for `rows` of `x` to `y`, from row `start`.
  func add(
    _ x: borrowing Matrix, rows: Range<Int>, to y: borrowing Matrix, at start: Int,
    _ compute: Compute
  ) {
    second.apply(
      reduced(dropped(x.copy(rows: rows), from: rows.lowerBound, compute), compute),
      rows: 0..<rows.count,
      into: y, at: start,
      finish: .add, compute)
  }

  /// Adds to the gradients of A and B, and to that of the input.
  ///
  /// - Parameters:
  ///   - dy: Of the result, [M, outputs].
  ///   - x: The input's rows, [M, inputs].
  ///   - dx: Rows as the forward pass's input; added to from row `start`.
  ///   - start: The first row of `dx`.
  ///   - compute: Kernels and threads.
  func backward(
    _ dy: borrowing Matrix, of x: consuming Matrix, into dx: borrowing Matrix, at start: Int,
    _ compute: Compute
  ) {
    let input = dropped(x, from: start, compute)
    second.addGradients(dy, of: reduced(input, compute), compute)
    let dReduced = compute.matrix(dy.rows, down.outputs)
    second.inputGradient(dy, into: dReduced, compute)
    compute.scale(dReduced, by: scale)
    first.addGradients(dReduced, of: input, compute)
    guard dropout.isActive else {
      return first.inputGradient(dReduced, into: dx, at: start, adds: true, compute)
    }
    let dInput = compute.matrix(dy.rows, down.inputs)
    first.inputGradient(dReduced, into: dInput, compute)
    compute.add(dropped(dInput, from: start, compute), to: dx, at: start)
  }

  /// scale · A x, [M, rank].
  private func reduced(_ x: borrowing Matrix, _ compute: Compute) -> Matrix {
    let result = first(x, compute)
    compute.scale(result, by: scale)
    return result
  }

  /// Stretches of rows that begin elsewhere leave out other inputs.
  private func dropped(
    _ x: consuming Matrix, from first: Int, _ compute: Compute
  ) -> Matrix {
    dropout.apply(to: x, stream: stream &+ UInt64(first) << 32, compute)
    return x
  }
}

/// Which inputs of low-rank updates are left out: decided by a key and the place alone, so that the
/// derivative, and a resumed training, leave out the same ones.
package final class Dropout: @unchecked Sendable {
  /// The share that is left out, at least 0 and below 1.
  package let rate: Double
  /// Names the pass; nil when nothing is left out, as in an evaluation.
  package var key: UInt64?

  package init(rate: Double) { self.rate = rate }

  package var isActive: Bool { rate > 0 && key != nil }

  func apply(to x: borrowing Matrix, stream: UInt64, _ compute: Compute) {
    guard rate > 0, let key else { return }
    let start = DropJob.mixed(key ^ DropJob.mixed(stream &+ DropJob.step))
    compute.device.drop(
      DropJob(
        x: x.values, count: x.count, start: start, limit: UInt64(rate * 0x1p32),
        factor: Float(1 / (1 - rate))))
  }
}
