import RocCheckpoint
import RocDigest
import RocJSON
package import RocModel
import RocScore
import RocTensor

/// A training run ready to begin, or to go on: model loaded, samples checked, state restored.
package final class TrainingJob {
  package let options: TrainingOptions
  package let folder: TrainingFolder
  package let trainer: Trainer
  package let readout: ScoreReadout
  package let samples: [EncodedSample]
  /// Samples that are only scored; empty for none.
  package let heldOut: [EncodedSample]
  /// Updates that were made in earlier starts.
  package let resumedFrom: Int
  let weights: TrainedWeights
  let state: JSON

  /// - Parameters:
  ///   - model: What is trained.
  ///   - parts: Its parts, loaded.
  ///   - data: The checked samples.
  ///   - heldOut: Samples that are only scored.
  ///   - pictures: The pictures of all samples.
  /// - Throws: `TrainingError.state` when the folder holds a training run with other settings or
  ///   data; `CheckpointError` when its files cannot be read.
  package init(
    _ model: PreparedModel, parts: ModelParts, data: TrainingData, heldOut: TrainingData?,
    pictures: PictureStore
  ) throws {
    var options = model.options
    let samples = data.samples
    let order: Sampler.Order =
      switch options.order {
      case .shuffled: .shuffled(seed: options.seed)
      case .byLength: .grouped(seed: options.seed, lengths: samples.map(\.text.ids.count))
      case .given(let places): .given(places)
      }
    if case .given(let places) = options.order,
      let odd = places.first(where: { !samples.indices.contains($0) })
    {
      throw TrainingError.request(
        "--order names record \(odd + 1), and there are \(samples.count) records")
    }
    let sampler = Sampler(
      count: samples.count, order: order, batchSize: options.settings.batchSize,
      accumulation: options.settings.accumulation)
    options.settings.steps = options.mostSteps ?? sampler.updates(epochs: options.epochs)
    trainer = Trainer(
      parts: parts, readout: model.readout, samples: samples, sampler: sampler,
      pictures: pictures, settings: options.settings, dropout: model.dropout,
      seed: options.seed, slots: model.slots, compute: model.compute)
    state = [
      "schema": "roc/training-state/1", "engine": .string(Engine.version),
      "kernels": .string(model.compute.instructionSet), "settings": options.json,
      "score_range": [
        JSON(number: model.readout.axis.low), JSON(number: model.readout.axis.high),
      ],
      "model_sha256": .string(try model.loader.checkpoint.sha256()),
      "data_sha256": .string(Self.digest(samples)),
    ]
    if let step = model.resumedFrom {
      try Self.compare(try model.folder.stateToGoOn(step), state, model.folder.checkpoint(step))
      let optimiser = trainer.optimiser
      try model.folder.goingOn(step) { try model.folder.restore(step, into: optimiser) }
    }
    self.options = options
    self.samples = samples
    self.heldOut = heldOut?.samples ?? []
    readout = model.readout
    folder = model.folder
    resumedFrom = model.resumedFrom ?? 0
    weights = TrainedWeights(
      loader: model.loader, trained: parts.trained, lowRank: model.lowRank,
      configuration: Self.configuration(options, model.readout), base: model.baseFolder,
      compute: model.compute)
  }

  /// What config.json says about the training, as the official trainer leaves it there.
  static func configuration(
    _ options: TrainingOptions, _ readout: ScoreReadout
  ) -> [(name: String, value: JSON)] {
    [
      ("min_score", JSON(number: readout.axis.low)), ("max_score", JSON(number: readout.axis.high)),
      ("l1_weight", JSON(number: options.settings.weights.l1)),
      ("ce_weight", JSON(number: options.settings.weights.ce)),
      ("emd_weight", JSON(number: options.settings.weights.emd)),
    ]
  }

  /// A digest of everything the samples decide, except the pictures' contents.
  private static func digest(_ samples: [EncodedSample]) -> String {
    var text = ""
    for sample in samples {
      text += "\(sample.image)\t\(sample.text.ids)\t\(sample.text.labels.map { $0 ?? -100 })"
      text += "\t\(sample.scores)\t\(sample.targets)\n"
    }
    return SHA256.of(text)
  }

  /// A training run may go on only as it began.
  private static func compare(_ old: JSON, _ new: JSON, _ folder: String) throws(TrainingError) {
    var differences: [String] = []
    // Settings that are only written where they are given, such as the most pixels, may be gone.
    let names = (new["settings"]?.members ?? []).map(\.name)
    for member in old["settings"]?.members ?? [] where !names.contains(member.name) {
      differences.append("\(member.name) was \(member.value.line), is absent")
    }
    for member in new["settings"]?.members ?? [] {
      let before = old["settings"]?[member.name]
      if before?.line != member.value.line {
        differences.append(
          "\(member.name) was \(before?.line ?? "absent"), is \(member.value.line)")
      }
    }
    for name in ["score_range", "model_sha256", "data_sha256", "engine", "kernels"]
    where old[name]?.line != new[name]?.line {
      differences.append("\(name) was \(old[name]?.line ?? "absent"), is \(new[name]?.line ?? "")")
    }
    guard differences.isEmpty else {
      throw .state(
        """
        \(folder) belongs to a training that cannot go on with these settings: \
        \(differences.joined(separator: "; ")). Use the old ones, another --output-dir, or \
        --overwrite-output-dir to begin anew
        """)
    }
  }
}
