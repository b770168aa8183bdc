import RocTensor

/// A LayerNorm's weights.
struct LayerNorm: Sendable {
  let weight: [Float]
  let bias: [Float]
  let epsilon: Float

  init(_ reader: WeightReader, _ name: String, count: Int, epsilon: Float) {
    weight = reader.vector("\(name).weight", count: count)
    bias = reader.vector("\(name).bias", count: count)
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: borrowing Matrix, _ compute: Compute) -> Matrix {
    compute.layerNorm(x, weight: weight, bias: bias, epsilon: epsilon)
  }
}
