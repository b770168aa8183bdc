import RocImage
package import RocModel
package import RocTensor

/// Samples through the model, the loss over all of them, and back.
package struct TrainingBatch {
  private let parts: ModelParts
  private let loss: ScoreLoss
  private let recomputes: Bool
  private let pictures: PictureStore
  private let dropout: Dropout?

  /// - Parameters:
  ///   - parts: The model.
  ///   - loss: Over the scores of the whole batch.
  ///   - recomputes: Whether layers are run twice to save memory.
  ///   - pictures: Of the samples.
  ///   - dropout: Of low-rank updates.
  package init(
    parts: ModelParts, loss: ScoreLoss, recomputes: Bool, pictures: PictureStore,
    dropout: Dropout? = nil
  ) {
    self.parts = parts
    self.loss = loss
    self.recomputes = recomputes
    self.pictures = pictures
    self.dropout = dropout
  }

  /// Adds the batch's gradients to those of the trained parameters.
  ///
  /// - Parameters:
  ///   - samples: The batch.
  ///   - scale: Factor of the gradients, 1 / accumulation steps.
  ///   - key: Names the batch, for its dropout.
  /// - Returns: The loss before any update; where it is not finite, no gradient was added.
  /// - Throws: `TrainingError` when a picture cannot be read.
  package func run(
    _ samples: [EncodedSample], scale: Double = 1, key: UInt64 = 0
  ) throws(TrainingError) -> ScoreLoss.Result {
    var passes: [SamplePass] = []
    // A sample's way back leaves out what its way forward left out.
    func use(_ place: Int?) {
      dropout?.key = place.map { key &+ UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
    }
    defer { use(nil) }
    for (place, sample) in samples.enumerated() {
      use(place)
      passes.append(try pass(sample, tape: Tape(recomputes: recomputes)))
    }
    let result = loss(
      passes.map(\.logits), labels: passes.map(\.labels), tasks: tasks(samples, passes),
      scale: scale)
    guard result.parts.isFinite else { return result }
    for (place, pass) in passes.enumerated() {
      use(place)
      pass.backward()
    }
    return result
  }

  /// The scores of one sample with its answer given.
  package func predict(_ sample: EncodedSample) throws(TrainingError) -> ScoreLoss.Result {
    let pass = try pass(sample, tape: nil)
    return loss([pass.logits], labels: [pass.labels], tasks: tasks([sample], [pass]))
  }

  /// The sample's way forward.
  package func pass(
    _ sample: EncodedSample, tape: Tape?
  ) throws(TrainingError) -> SamplePass {
    do throws(PictureError) {
      // Features of an encoder that moves are good for once.
      guard parts.vision.isTrained else {
        let features = try pictures.features(sample.image, parts.vision)
        return SamplePass(
          sample.text, features: features.matrix, parts: parts, tape: tape, hasVision: false)
      }
      let features = parts.vision.encode(
        try pictures.pixels(sample.image), trace: nil, tape: tape)
      return SamplePass(
        sample.text, features: features, parts: parts, tape: tape, hasVision: tape != nil)
    } catch {
      throw .picture(error, record: sample.number)
    }
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
