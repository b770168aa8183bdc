import RocTensor

/// The function between the products of an MLP.
enum Activation: String, Sendable {
  /// CLIP's x · sigmoid(1.702 x).
  case quickGELU = "quick_gelu"
  /// By the error function, PyTorch's default.
  case gelu

  /// What a product ends with where nothing is recorded.
  var finish: Finish {
    switch self {
    case .quickGELU: .quickGELU
    case .gelu: .gelu
    }
  }

  func callAsFunction(_ x: borrowing Matrix, _ compute: Compute) -> Matrix {
    switch self {
    case .quickGELU: compute.quickGELU(x)
    case .gelu: compute.gelu(x)
    }
  }

  /// Turns the gradient of the result into that of `x`.
  func backward(_ gradient: borrowing Matrix, of x: borrowing Matrix, _ compute: Compute) {
    switch self {
    case .quickGELU: compute.quickGELUGradient(gradient, of: x)
    case .gelu: compute.geluGradient(gradient, of: x)
    }
  }
}
