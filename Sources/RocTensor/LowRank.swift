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
      reduced(dropped(x.copy(rows: rows), from: rows.lowerBound), compute), rows: 0..<rows.count,
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
    let input = dropped(x, from: start)
    second.addGradients(dy, of: reduced(input, compute), compute)
    let dReduced = Matrix(uninitialized: dy.rows, down.outputs)
    second.inputGradient(dy, into: dReduced, compute)
    multiply(dReduced)
    first.addGradients(dReduced, of: input, compute)
    guard dropout.isActive else {
      return first.inputGradient(dReduced, into: dx, at: start, adds: true, compute)
    }
    let dInput = Matrix(uninitialized: dy.rows, down.inputs)
    first.inputGradient(dReduced, into: dInput, compute)
    let masked = dropped(dInput, from: start)
    let target = dx.row(start)
    for i in 0..<masked.count { target[i] += masked.values[i] }
  }

  /// scale · A x, [M, rank].
  private func reduced(_ x: borrowing Matrix, _ compute: Compute) -> Matrix {
    let result = first(x, compute)
    multiply(result)
    return result
  }

  private func multiply(_ x: borrowing Matrix) {
    for i in 0..<x.count { x.values[i] *= scale }
  }

  /// Stretches of rows that begin elsewhere leave out other inputs.
  private func dropped(_ x: consuming Matrix, from first: Int) -> Matrix {
    dropout.apply(to: x, stream: stream &+ UInt64(first) << 32)
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

  func apply(to x: borrowing Matrix, stream: UInt64) {
    guard rate > 0, let key else { return }
    let limit = UInt64(rate * 0x1p32)
    let factor = Float(1 / (1 - rate))
    var state = Self.mixed(key ^ Self.mixed(stream &+ 0x9E37_79B9_7F4A_7C15))
    for i in stride(from: 0, to: x.count, by: 2) {
      state &+= 0x9E37_79B9_7F4A_7C15
      let bits = Self.mixed(state)
      x.values[i] = bits & 0xFFFF_FFFF < limit ? 0 : x.values[i] * factor
      guard i + 1 < x.count else { break }
      x.values[i + 1] = bits >> 32 < limit ? 0 : x.values[i + 1] * factor
    }
  }

  /// SplitMix64's finaliser.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
