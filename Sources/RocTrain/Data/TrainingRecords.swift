import RocData
import RocFiles
import RocModel
import RocScore
package import RocStore

/// Where the records of a training run come from: files, or splits of a dataset.
package enum TrainingInput: Sendable {
  /// Conversation files and the folder of their pictures.
  case files(training: String, heldOut: String?, images: String)
  /// Splits of a dataset.
  case splits(dataset: String, training: String, heldOut: String?, Store)
}

/// The records of a training run and their pictures, all checked before any weight is loaded.
package struct TrainingRecords {
  package let training: TrainingData
  /// What is only scored.
  package let heldOut: TrainingData?
  package let pictures: PictureStore

  /// - Parameters:
  ///   - input: Where they come from.
  ///   - model: The prepared model.
  ///   - note: Gets what the user should know.
  /// - Throws: `TrainingDataError` with every finding, `DataError` and `StoreError` for what is not
  ///   there.
  package init(
    _ input: TrainingInput, for model: PreparedModel, note: (String) -> Void
  ) throws {
    let sources = try Self.sources(input, model.readout, note)
    let paths = [sources.training.path] + (sources.heldOut.map { [$0.path] } ?? [])
    // Pictures are kept before the weights are loaded, and must leave room for them.
    let spare = availableMemory().map { max(0, $0 - model.loader.bytesNeeded) / 2 }
    let pictures = PictureStore(
      preprocessing: try model.loader.preprocessing(),
      capacity: min(model.options.cacheSize, spare ?? .max)
    ) { name in
      for path in paths { if let found = path(name) { return found } }
      return nil
    }
    func rules(_ weights: LossWeights) -> TrainingData.Rules {
      TrainingData.Rules(
        model: model.loader, readout: model.readout, weights: weights,
        maxLength: model.options.maxLength)
    }
    func check(
      _ source: TrainingSource, _ rules: TrainingData.Rules
    ) throws(TrainingDataError) -> TrainingData {
      let result = source.bytes.withUnsafeBytes { bytes in
        Result { () throws(TrainingDataError) in
          try TrainingData(bytes, from: source.name, rules: rules, pictures: pictures)
        }
      }
      return try result.get()
    }
    self.pictures = pictures
    training = try check(sources.training, rules(model.options.settings.weights))
    // What is only scored needs no targets.
    heldOut = try sources.heldOut.map { try check($0, rules(LossWeights(l1: 0, ce: 0, emd: 0))) }
  }

  private static func sources(
    _ input: TrainingInput, _ readout: ScoreReadout, _ note: (String) -> Void
  ) throws -> (training: TrainingSource, heldOut: TrainingSource?) {
    switch input {
    case .files(let training, let heldOut, let images):
      return (
        try TrainingSource(file: training, imageFolder: images),
        try heldOut.map { try TrainingSource(file: $0, imageFolder: images) }
      )
    case .splits(let dataset, let training, let heldOut, let store):
      let range = ScoreRange(low: readout.axis.low, high: readout.axis.high)
      func source(_ split: String) throws -> TrainingSource {
        let source = try TrainingSource(
          dataset: dataset, split: split, store: store, range: range, tokens: readout.tokens)
        if let scale = source.scale {
          note(
            """
            \(source.name): scores of \(scale.from.low) to \(scale.from.high) are mapped linearly \
            to the model's \(scale.to.low) to \(scale.to.high)
            """)
        }
        return source
      }
      return (try source(training), try heldOut.map(source))
    }
  }

  /// What is odd about the records, for the user: the first few warnings, and how many more follow.
  package var remarks: [String] {
    var lines: [String] = []
    if let heldOut {
      let seen = Set(training.samples.map(\.image))
      let shared = heldOut.samples.count { seen.contains($0.image) }
      if shared > 0 {
        lines.append(
          """
          Warning: \(shared) of \(heldOut.samples.count) held-out records have pictures that are \
          trained on
          """)
      }
    }
    lines += training.warnings.prefix(5).map {
      "Warning: record \($0.record): \($0.field): \($0.message)"
    }
    if training.warnings.count > 5 {
      lines.append(
        "… and \(training.warnings.count - 5) more warnings; roc-data validate lists all")
    }
    return lines
  }
}
