import RocMetrics
package import RocModel
package import RocScore
package import RocTensor

/// Trains the score tokens' rows of the head and nothing else, on stored hidden states.
///
/// Hidden states do not change, so an epoch is a few products: hundreds of them take seconds. The
/// text's part of the loss, which sees the whole vocabulary, is left out.
package final class HeadTraining {
  private let items: [HeadStates.Item]
  private let loss: ScoreLoss
  private let settings: TrainingSettings
  private let compute: Compute
  private let optimiser: Optimiser
  private let schedule: Schedule
  private let sampler: Sampler
  private let head: Linear
  package let rows: Parameter

  /// - Parameters:
  ///   - items: At least one.
  ///   - rows: The present rows of the score tokens, [tokens · width].
  ///   - axis: The scale.
  ///   - settings: `steps` is the length of the schedule.
  ///   - sampler: Which items an update takes.
  ///   - names: The names of the model's tensors.
  ///   - compute: Kernels and threads.
  /// - Throws: `TrainingError` when the rows are not finite.
  package init(
    items: [HeadStates.Item], rows: [Float], axis: ScoreAxis, settings: TrainingSettings,
    sampler: Sampler, names: TensorNames, compute: Compute
  ) throws(TrainingError) {
    let (tokens, width) = (axis.values.count, rows.count / max(axis.values.count, 1))
    let packed = RawWeights(copying: rows, rows: tokens, columns: width, "score rows")
      .flatMap { PackedWeights(training: $0, precision: .f32, compute: compute) }
    guard let packed, let parameter = packed.parameter else {
      throw .request("the score tokens' rows of lm_head are infinite or NaN")
    }
    parameter.train()
    self.items = items
    self.settings = settings
    self.sampler = sampler
    self.compute = compute
    self.rows = parameter
    head = Linear(packed, bias: nil)
    loss = ScoreLoss(axis: axis, weights: settings.weights, reduction: settings.reduction)
    schedule = Schedule(
      settings.schedule, steps: settings.steps, warmupRatio: settings.warmupRatio)
    optimiser = Optimiser(
      [
        TrainedTensor(
          name: names.head, shape: [tokens, width], parameter: parameter, weights: packed)
      ], weightDecay: settings.weightDecay, largestNorm: settings.largestNorm,
      decays: names.decays, compute: compute)
  }

  package var step: Int { optimiser.step }
  package var isDone: Bool { step >= settings.steps }

  /// Makes one update.
  ///
  /// - Returns: What was measured before it.
  /// - Throws: `TrainingError` naming the batch when the loss is not finite.
  package func update() throws(TrainingError) -> StepReport {
    let step = step
    let batches = sampler.batches(update: step).map { $0.map { items[$0] } }
    var reports: [LossParts] = []
    for batch in batches {
      let x = states(batch)
      let logits = Logits(head(x, compute), scores: 0..<head.outputs)
      let result = loss(
        [logits], labels: [[]], tasks: Self.tasks(batch), scale: 1 / Double(batches.count))
      guard result.parts.isFinite else {
        throw .notFinite(
          what: "the loss", step: step, records: batch.map(\.record),
          images: batch.map { _ in "stored state" })
      }
      head.addGradients(logits.matrix(compute), of: x, compute)
      reports.append(result.parts)
    }
    let norm = optimiser.gradientNorm()
    let rate = settings.learningRate * schedule.factor(step)
    let epoch = sampler.epoch(ofUpdate: step)
    optimiser.update(learningRate: rate, norm: norm)
    let parts = LossParts(meanOf: reports)
    return StepReport(
      step: step, epoch: epoch, loss: parts.total(settings.weights), parts: parts,
      learningRate: rate, gradientNorm: norm)
  }

  /// The scores of items, with the rows as they are now.
  package func predict(_ items: [HeadStates.Item]) -> [Double] {
    guard !items.isEmpty else { return [] }
    let logits = Logits(head(states(items), compute), scores: 0..<head.outputs)
    return loss([logits], labels: [[]], tasks: Self.tasks(items)).scores
  }

  private func states(_ items: [HeadStates.Item]) -> Matrix {
    compute.matrix(items.count, head.inputs, items.flatMap(\.state))
  }

  private static func tasks(_ items: [HeadStates.Item]) -> [ScoreTask] {
    items.enumerated().map { row, item in
      ScoreTask(sample: 0, row: row, score: item.score, target: item.target)
    }
  }
}
