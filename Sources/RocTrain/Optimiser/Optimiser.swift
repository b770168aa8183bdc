package import RocModel
package import RocTensor

/// AdamW over the trained tensors of a model, with the Hugging Face Trainer's groups and clipping.
package final class Optimiser {
  /// One tensor with its running means.
  package struct Member {
    package let tensor: TrainedTensor
    package let moments: Moments
    package let decays: Bool
  }

  package let members: [Member]
  package let settings: AdamW
  package let weightDecay: Double
  /// The largest norm of all gradients together; nil leaves them as they are.
  package let largestNorm: Double?
  /// Updates so far.
  package var step: Int
  private let compute: Compute

  /// - Parameters:
  ///   - tensors: In the order of the network.
  ///   - weightDecay: For the tensors that decay.
  ///   - largestNorm: Nil leaves gradients as they are.
  ///   - settings: AdamW's own.
  ///   - decays: Whether weight decay applies to the tensor with a given name.
  ///   - compute: Kernels and threads.
  package init(
    _ tensors: [TrainedTensor], weightDecay: Double, largestNorm: Double?,
    settings: AdamW = AdamW(), decays: (String) -> Bool, compute: Compute
  ) {
    members = tensors.map {
      Member(
        tensor: $0, moments: Moments($0.parameter), decays: decays($0.name))
    }
    self.settings = settings
    self.weightDecay = weightDecay
    self.largestNorm = largestNorm
    self.compute = compute
    step = 0
  }

  /// The L2 norm of all gradients together; those of several slots are added up first.
  package func gradientNorm() -> Double {
    for member in members { member.tensor.parameter.gatherGradient(compute) }
    return members.reduce(0) { $0 + compute.squaredGradient($1.tensor.parameter) }.squareRoot()
  }

  /// Moves all parameters and clears their gradients.
  ///
  /// - Parameters:
  ///   - learningRate: For this update.
  ///   - norm: What `gradientNorm` gave.
  package func update(learningRate: Double, norm: Double) {
    step += 1
    // torch.nn.utils.clip_grad_norm_
    let factor = largestNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    for member in members {
      let update = AdamW.Update(
        step: step, learningRate: learningRate, decay: member.decays ? weightDecay : 0,
        gradientFactor: factor)
      compute.apply(update, settings, to: member.moments)
      member.tensor.weights?.refresh(compute)
    }
  }
}
