package import RocModel
package import RocTensor

/// Samples through the model, the loss over all of them, and back.
package struct TrainingBatch {
  private let parts: ModelParts
  private let loss: ScoreLoss
  private let recomputes: Bool

  /// - Parameters:
  ///   - parts: The model.
  ///   - loss: Over the scores of the whole batch.
  ///   - recomputes: Whether layers are run twice to save memory.
  package init(parts: ModelParts, loss: ScoreLoss, recomputes: Bool) {
    self.parts = parts
    self.loss = loss
    self.recomputes = recomputes
  }

  /// Adds the batch's gradients to those of the trained parameters.
  ///
  /// - Parameters:
  ///   - samples: The batch.
  ///   - scale: Factor of the gradients, 1 / accumulation steps.
  ///   - pixels: Gives a sample's picture, [3, edge²].
  /// - Returns: The loss before any update.
  package func run<Failure: Error>(
    _ samples: [EncodedSample], scale: Double = 1,
    pixels: (EncodedSample) throws(Failure) -> Matrix
  ) throws(Failure) -> ScoreLoss.Result {
    var passes: [SamplePass] = []
    for sample in samples {
      let tape = Tape(recomputes: recomputes)
      let trainsVision = parts.vision.isTrained
      let features = parts.vision.encode(
        try pixels(sample), trace: nil, tape: trainsVision ? tape : nil)
      passes.append(
        SamplePass(
          sample.text, features: features, parts: parts, tape: tape, hasVision: trainsVision))
    }
    let result = loss(
      passes.map(\.logits), labels: passes.map(\.labels), tasks: tasks(samples, passes),
      scale: scale)
    // A loss that is not finite has no use for gradients, and its caller names the batch.
    guard result.parts.isFinite else { return result }
    for pass in passes { pass.backward() }
    return result
  }

  /// The rows that predict `[SCORE]`, each with its score.
  private func tasks(_ samples: [EncodedSample], _ passes: [SamplePass]) -> [ScoreTask] {
    guard let scoreID = parts.readout?.scoreID else { return [] }
    return zip(samples, passes).enumerated().flatMap { index, pair in
      let (sample, pass) = pair
      return zip(pass.rows(predicting: scoreID), sample.scores).enumerated().map { k, task in
        ScoreTask(
          sample: index, row: task.0, score: task.1,
          target: sample.targets.isEmpty ? nil : sample.targets[k])
      }
    }
  }
}
