import CRocKernels

/// Running means of a parameter's gradient and of its square.
@safe
package final class Moments: @unchecked Sendable {
  package let parameter: Parameter
  /// The means, then the squares, laid out as the parameter.
  let values: UnsafeMutablePointer<Float>

  package init(_ parameter: Parameter) {
    self.parameter = parameter
    let count = 2 * max(parameter.count, 1)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
    values = memory.bindMemory(to: Float.self, capacity: count)
    values.initialize(repeating: 0, count: count)
  }

  deinit { values.deallocate() }

  /// One of the two.
  package enum Part: Int, CaseIterable, Sendable {
    case mean
    case square
  }

  /// The values of one part as they lie in memory, padding included.
  package func array(_ part: Part) -> [Float] {
    Array(
      UnsafeBufferPointer(start: values + part.rawValue * parameter.count, count: parameter.count))
  }

  /// Replaces what `array` gave.
  package func replace(_ part: Part, with array: [Float]) {
    precondition(array.count == parameter.count, "\(array.count) moments of \(parameter.count)")
    array.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      (values + part.rawValue * parameter.count).update(from: start, count: source.count)
    }
  }
}

/// The settings of AdamW; defaults are PyTorch's and the Hugging Face Trainer's.
package struct AdamW: Sendable, Equatable {
  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8

  package init() {}

  /// One update of one parameter.
  package struct Update: Sendable {
    /// Counted from 1.
    package var step: Int
    package var learningRate: Double
    package var decay: Double
    /// Of the gradient, as clipping asks.
    package var gradientFactor: Double

    package init(step: Int, learningRate: Double, decay: Double, gradientFactor: Double = 1) {
      self.step = step
      self.learningRate = learningRate
      self.decay = decay
      self.gradientFactor = gradientFactor
    }
  }

  /// What the kernels need for an update.
  func job(_ update: Update) -> roc_adamw {
    let (step, learningRate) = (update.step, update.learningRate)
    // Powers by multiplication: the libraries' pow differs between CPUs in its last bit.
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<min(step, 100_000) {
      power1 *= beta1
      power2 *= beta2
    }
    return roc_adamw(
      gradient_factor: Float(update.gradientFactor), keep: Float(1 - learningRate * update.decay),
      beta1: beta1, beta2: beta2, eps: Float(epsilon),
      step: Float(learningRate / (1 - power1)),
      inverse_root_correction2: Float(1 / (1 - power2).squareRoot()))
  }
}

extension Compute {
  /// Moves a parameter by its gradient, which becomes zero.
  package func apply(_ update: AdamW.Update, _ settings: AdamW, to moments: Moments) {
    guard let gradient = moments.parameter.gradient else { return }
    device.update(
      settings.job(update), values: moments.parameter.values, gradient: gradient,
      moments: moments.values, moments.parameter.count)
  }
}
