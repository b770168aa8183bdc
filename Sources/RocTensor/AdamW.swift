package import CRocKernels

/// Running means of a parameter's gradient and of its square.
@safe
package final class Moments: @unchecked Sendable {
  package let parameter: Parameter
  /// The means, then the squares, laid out as the parameter.
  package let values: UnsafeMutablePointer<Float>

  package init(_ parameter: Parameter) {
    self.parameter = parameter
    let count = 2 * max(parameter.count, 1)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
    values = memory.bindMemory(to: Float.self, capacity: count)
    values.initialize(repeating: 0, count: count)
  }

  deinit { values.deallocate() }
}

/// The settings of AdamW; defaults are PyTorch's and the Hugging Face Trainer's.
package struct AdamW: Sendable, Equatable {
  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8

  package init() {}

  /// What the kernels need for update `step`, counted from 1.
  package func update(
    step: Int, learningRate: Double, decay: Double, gradientFactor: Double
  ) -> roc_adamw {
    // Powers by multiplication: the libraries' pow differs between CPUs in its last bit.
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<min(step, 100_000) {
      power1 *= beta1
      power2 *= beta2
    }
    return roc_adamw(
      gradient_factor: Float(gradientFactor), keep: Float(1 - learningRate * decay),
      beta1: beta1, beta2: beta2, eps: Float(epsilon),
      step: Float(learningRate / (1 - power1)),
      inverse_root_correction2: Float(1 / (1 - power2).squareRoot()))
  }
}

extension Compute {
  /// Moves a parameter by its gradient, which becomes zero.
  package func apply(_ update: roc_adamw, to moments: Moments) {
    guard let gradient = moments.parameter.gradient else { return }
    var update = update
    roc_adamw_step(
      team, kernels, &update, moments.parameter.values, gradient, moments.values,
      moments.parameter.count)
  }
}
