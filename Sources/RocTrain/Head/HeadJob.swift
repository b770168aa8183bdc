package import RocCheckpoint
import RocJSON
package import RocModel
package import RocStore
import RocTensor

/// The training of the score tokens' rows, from samples to a new checkpoint.
package struct HeadJob {
  private let model: PreparedModel
  private let states: HeadStates

  /// - Parameters:
  ///   - model: What is trained.
  ///   - parts: Its parts, loaded.
  ///   - store: Keeps the hidden states.
  ///   - pictures: The samples' pictures.
  /// - Throws: `CheckpointError` when the checkpoint's files cannot be read.
  package init(
    _ model: PreparedModel, parts: ModelParts, store: Store, pictures: PictureStore
  ) throws(CheckpointError) {
    self.model = model
    states = HeadStates(
      parts: parts, readout: model.readout,
      checkpoint: try model.loader.checkpoint.sha256(),
      arithmetic: "\(model.loader.precision.rawValue) \(model.compute.instructionSet)",
      store: store, pictures: pictures,
      width: model.loader.checkpoint[model.loader.names.head]?.shape.last ?? 0)
  }

  /// What happens, for whoever watches.
  package enum Event {
    /// Samples done, of how many, and how many of them the model had to see.
    case states(Int, of: Int, computed: Int)
    case step(StepReport)
    case evaluated(Evaluation)
  }

  /// Trains and writes the model into the output folder.
  ///
  /// - Parameters:
  ///   - data: The checked samples.
  ///   - heldOut: Samples that are only scored.
  ///   - shouldStop: Asked often; what was computed for the database stays.
  ///   - tell: Told what happens.
  /// - Returns: The step log, and `isDone`, which is false when it was stopped.
  /// - Throws: `TrainingError`, `StoreError` or `CheckpointError`.
  package func run(
    _ data: TrainingData, heldOut: TrainingData?, shouldStop: () -> Bool,
    tell: (Event) throws -> Void
  ) throws -> (log: StepLog, isDone: Bool) {
    let rows = try rows()
    for sample in data.samples.prefix(1) { try states.check(sample) }
    let log = try StepLog(folder: model.folder.path, from: 0)
    let events = try EventFolder(model.folder.path, from: 0)
    guard let items = try self.items(data.samples, shouldStop, tell),
      let others = try self.items(heldOut?.samples ?? [], shouldStop, tell)
    else { return (log, false) }
    var settings = model.options.settings
    let sampler = Sampler(
      count: items.count, order: .shuffled(seed: model.options.seed),
      batchSize: settings.batchSize, accumulation: settings.accumulation)
    settings.steps = model.options.mostSteps ?? sampler.updates(epochs: model.options.epochs)
    let training = try HeadTraining(
      items: items, rows: rows, axis: model.readout.axis, settings: settings,
      sampler: sampler, names: model.loader.names, compute: model.compute)
    func evaluate() throws {
      guard !others.isEmpty, log.evaluations.last?.step != training.step else { return }
      let evaluation = Evaluation(
        step: training.step, predicted: training.predict(others), truth: others.map(\.score))
      try log.add(evaluation)
      try events.add(evaluation)
      try tell(.evaluated(evaluation))
    }
    if model.options.evaluationSteps != nil { try evaluate() }
    while !training.isDone {
      let report = try training.update()
      try log.add(report)
      try events.add(report)
      try tell(.step(report))
      if let every = model.options.evaluationSteps, training.step % every == 0 { try evaluate() }
      if shouldStop() { return (log, false) }
    }
    try evaluate()
    guard training.rows.isFinite(model.compute) else {
      throw TrainingError.weights(tensor: model.loader.names.head, step: training.step)
    }
    var weights = TrainedWeights(
      loader: model.loader, trained: [], lowRank: nil,
      configuration: TrainingJob.configuration(model.options, model.readout),
      base: model.baseFolder, compute: model.compute)
    weights.headRows = (model.readout.ids.lowerBound, training.rows.array(model.compute))
    try model.folder.finish(weights, dtype: nil)
    return (log, true)
  }

  private func items(
    _ samples: [EncodedSample], _ shouldStop: () -> Bool, _ tell: (Event) throws -> Void
  ) throws -> [HeadStates.Item]? {
    try states.items(of: samples) { done, computed in
      try? tell(.states(done, of: samples.count, computed: computed))
      return !shouldStop()
    }
  }

  /// The score tokens' rows of the head.
  private func rows() throws(TrainingError) -> [Float] {
    guard let tensor = model.loader.checkpoint[model.loader.names.head] else {
      throw .request(
        "\(model.options.model) is packed; use the checkpoint that it was converted from")
    }
    let (all, width) = (tensor.shape[0], tensor.shape[1])
    let weights = tensor.weights(rows: all, columns: width)
    return weights.widened(
      from: model.readout.ids.lowerBound * width, count: model.readout.tokens * width)
  }
}
