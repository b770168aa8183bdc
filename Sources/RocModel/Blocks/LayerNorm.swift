import RocTensor

/// A LayerNorm's weights.
struct LayerNorm: Sendable {
  let weight: Parameter
  let bias: Parameter
  let epsilon: Float

  init(_ reader: WeightReader, _ name: String, count: Int, epsilon: Float) {
    weight = reader.vector("\(name).weight", count: count)
    bias = reader.vector("\(name).bias", count: count)
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: borrowing Matrix, _ compute: Compute) -> Matrix {
    compute.layerNorm(x, weight: weight, bias: bias, epsilon: epsilon)
  }

  /// Adds to `dx`, given the gradient of the norm of `x`.
  func backward(
    _ dy: borrowing Matrix, of x: borrowing Matrix, into dx: borrowing Matrix, _ compute: Compute
  ) {
    compute.normGradient(
      dy, of: x, NormParameters(weight: weight, bias: bias, epsilon: epsilon), into: dx)
  }
}
