package import RocImage
package import RocModel
import RocNames
package import RocTensor

/// What decides the arithmetic of a training run, besides its model and its samples.
package struct TrainingSettings: Sendable, Equatable {
  package var weights = LossWeights(l1: 0, ce: 0, emd: 0)
  package var reduction = ScoreLoss.EMDReduction.batch
  package var learningRate = 2e-5
  package var weightDecay = 0.0
  package var warmupRatio = 0.0
  package var schedule = Schedule.Kind.cosine
  package var batchSize = 1
  package var accumulation = 1
  /// The largest norm of all gradients together; nil leaves them as they are.
  package var largestNorm: Double? = 1
  package var recomputes = false
  /// Updates in all.
  package var steps = 0

  package init() {}
}

/// One update, measured before it is made.
package struct StepReport: Sendable, Equatable {
  /// Counted from 0.
  package let step: Int
  package let epoch: Double
  package let loss: Double
  package let parts: LossParts
  package let learningRate: Double
  /// Before clipping.
  package let gradientNorm: Double
}

/// Why a training run stopped.
package enum TrainingError: Error, CustomStringConvertible, Sendable {
  /// The loss, or a gradient, is infinite or NaN.
  case notFinite(what: String, step: Int, records: [Int], images: [String])
  case picture(PictureError, record: Int)
  /// What was asked for cannot be done.
  case request(String)
  /// Another process is training into the folder.
  case busy(String)
  /// A file that cannot be written.
  case output(String)
  /// Weights became infinite or NaN.
  case weights(tensor: String, step: Int)
  /// A folder that a training run cannot be continued from.
  case state(String)

  package var description: String {
    switch self {
    case .notFinite(let what, let step, let records, let images):
      let list = zip(records, images).map { "record \($0) (\($1))" }.joined(separator: ", ")
      return """
        step \(step): \(what) is infinite or NaN; the batch is \(list). Nothing of this step was \
        kept. Look at these records, or lower the learning rate
        """
    case .picture(let error, let record): return "record \(record): \(error)"
    case .weights(let tensor, let step):
      return """
        after \(step) updates \(tensor) holds infinite or NaN values; they were not saved. Lower \
        the learning rate and go on from an earlier checkpoint
        """
    case .request(let message), .state(let message), .busy(let message), .output(let message):
      return message
    }
  }
}

/// Moves the parameters of a model, update by update.
package final class Trainer {
  package let parts: ModelParts
  package let settings: TrainingSettings
  package let optimiser: Optimiser
  private let samples: [EncodedSample]
  private let sampler: Sampler
  private let schedule: Schedule
  private let batch: TrainingBatch
  private let seed: UInt64
  private let compute: Compute

  /// - Parameters:
  ///   - parts: A model with trained parameters and score tokens.
  ///   - readout: Its score tokens.
  ///   - samples: At least one.
  ///   - sampler: Which samples an update takes.
  ///   - pictures: The samples' pictures.
  ///   - settings: `steps` is the length of the schedule.
  ///   - dropout: The dropout of low-rank updates.
  ///   - seed: Decides the dropout's masks.
  ///   - slots: Parts of a batch; with more than one, the model's own kernels run on one thread.
  ///   - compute: Kernels and threads of the optimiser.
  package init(
    parts: ModelParts, readout: ScoreReadout, samples: [EncodedSample], sampler: Sampler,
    pictures: PictureStore, settings: TrainingSettings, dropout: Dropout? = nil,
    seed: UInt64 = 0, slots: Int = 1, compute: Compute
  ) {
    self.parts = parts
    self.settings = settings
    self.samples = samples
    self.sampler = sampler
    schedule = Schedule(
      settings.schedule, steps: settings.steps, warmupRatio: settings.warmupRatio)
    optimiser = Optimiser(
      parts.trained, weightDecay: settings.weightDecay, largestNorm: settings.largestNorm,
      decays: parts.names.decays, compute: compute)
    batch = TrainingBatch(
      parts: parts,
      loss: ScoreLoss(
        axis: readout.axis, weights: settings.weights, reduction: settings.reduction),
      recomputes: settings.recomputes, pictures: pictures, dropout: dropout,
      slots: slots, isParallel: compute.threads > 1)
    self.seed = seed
    self.compute = compute
  }

  /// Updates so far.
  package var step: Int { optimiser.step }
  package var isDone: Bool { step >= settings.steps }
  package var epoch: Double { sampler.epoch(ofUpdate: step) }

  /// - Throws: `TrainingError` when a trained tensor is no longer finite.
  package func checkWeights() throws(TrainingError) {
    for tensor in parts.trained where !tensor.parameter.isFinite(compute) {
      throw .weights(tensor: tensor.name, step: step)
    }
  }

  /// Makes one update.
  ///
  /// - Throws: `TrainingError` naming the batch when the loss is not finite; the parameters are as
  ///   they were.
  package func update() throws(TrainingError) -> StepReport {
    let step = step
    let batches = sampler.batches(update: step).map { $0.map { samples[$0] } }
    let reports = try gradients(batches, step: step)
    let norm = optimiser.gradientNorm()
    guard norm.isFinite else {
      clearGradients()
      throw failure("the gradient", step, batches.flatMap { $0 })
    }
    let rate = settings.learningRate * schedule.factor(step)
    let epoch = epoch
    optimiser.update(learningRate: rate, norm: norm)
    let parts = LossParts(meanOf: reports)
    return StepReport(
      step: step, epoch: epoch, loss: parts.total(settings.weights), parts: parts,
      learningRate: rate, gradientNorm: norm)
  }

  private func gradients(
    _ batches: [[EncodedSample]], step: Int
  ) throws(TrainingError) -> [LossParts] {
    var reports: [LossParts] = []
    for (place, samples) in batches.enumerated() {
      let key = seed &+ UInt64(step &* batches.count &+ place) &* 0xD1B5_4A32_D192_ED03
      let result = try batch.run(samples, scale: 1 / Double(batches.count), key: key)
      guard result.parts.isFinite else {
        clearGradients()
        throw failure("the loss", step, samples)
      }
      reports.append(result.parts)
    }
    return reports
  }

  private func clearGradients() {
    for tensor in parts.trained { tensor.parameter.clearGradient() }
  }

  private func failure(
    _ what: String, _ step: Int, _ samples: [EncodedSample]
  ) -> TrainingError {
    .notFinite(
      what: what, step: step, records: samples.map(\.number), images: samples.map(\.image.text))
  }

  /// Predicts the scores of samples with their answers given, without moving anything.
  package func predict(_ samples: [EncodedSample]) throws(TrainingError) -> [[Double]] {
    try batch.predict(samples)
  }
}

extension LossParts {
  /// The mean of the parts of several batches.
  init(meanOf reports: [LossParts]) {
    self.init()
    func mean(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    text = mean(reports.map(\.text)) ?? 0
    l1 = mean(reports.compactMap(\.l1))
    ce = mean(reports.compactMap(\.ce))
    emd = mean(reports.compactMap(\.emd))
  }
}
