import RocCheckpoint
import RocData
import RocFiles
import RocJSON
import RocModel
import RocScore
import RocStore
import RocTensor
import RocTool
import RocTrain

/// From options and files to what a training begins with.
extension TrainingCommand {
  /// Records and pictures, all checked.
  func read(
    _ model: PreparedModel
  ) throws -> (TrainingData, heldOut: TrainingData?, PictureStore) {
    let sources = try sources(model.readout)
    let paths = [sources.training.path] + (sources.heldOut.map { [$0.path] } ?? [])
    // Pictures are kept before the weights are loaded, and must leave them room.
    let spare = availableMemory().map { max(0, $0 - model.loader.bytesNeeded) / 2 }
    let pictures = PictureStore(
      preprocessing: try model.loader.preprocessing(),
      capacity: min(model.options.cacheSize, spare ?? .max)
    ) { name in
      for path in paths { if let found = path(name) { return found } }
      return nil
    }
    let rules = TrainingData.Rules(
      model: model.loader, readout: model.readout, weights: model.options.settings.weights,
      maxLength: model.options.maxLength)
    // What is only scored needs no targets.
    let scoring = TrainingData.Rules(
      model: model.loader, readout: model.readout, weights: LossWeights(l1: 0, ce: 0, emd: 0),
      maxLength: model.options.maxLength)
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
    return (
      try check(sources.training, rules), try sources.heldOut.map { try check($0, scoring) },
      pictures
    )
  }

  private func sources(
    _ readout: ScoreReadout
  ) throws -> (training: TrainingSource, heldOut: TrainingSource?) {
    if let file = data.dataPath, let folder = data.imageFolder {
      return (
        try TrainingSource(file: file, imageFolder: folder),
        try data.evalDataPath.map { try TrainingSource(file: $0, imageFolder: folder) }
      )
    }
    let store = try data.database.open(readOnly: true)
    let range = ScoreRange(low: readout.axis.low, high: readout.axis.high)
    func source(_ split: String) throws -> TrainingSource {
      let source = try TrainingSource(
        dataset: data.dataset ?? "", split: split, store: store, range: range,
        tokens: readout.tokens)
      if let scale = source.scale {
        Console.note(
          """
          \(source.name): scores of \(scale.from.low) to \(scale.from.high) are mapped linearly to \
          the model's \(scale.to.low) to \(scale.to.high)
          """)
      }
      return source
    }
    return (try source(data.split ?? ""), try data.evalSplit.map(source))
  }

  func trainingOptions() throws -> TrainingOptions {
    let folder = try HubCache.resolve(model.modelNameOrPath)
    var options = TrainingOptions(model: folder, output: output.outputDir)
    options.hubName = folder == model.modelNameOrPath ? nil : model.modelNameOrPath
    if model.train == .head { options.mode = .head }
    if model.train == .lora {
      var lora = TrainingOptions.LowRankSettings()
      lora.rank = model.loraRank
      lora.alpha = model.loraAlpha
      lora.dropout = model.loraDropout
      lora.targets = Self.list(model.loraTargets ?? "")
      lora.whole = Self.list(model.loraModulesToSave).filter { $0 != "none" }
      options.mode = .lora(lora)
    }
    options.startsAnew = output.overwriteOutputDir
    options.freezesVision = model.freezeVisionModel?.isOn ?? false
    options.tunesAbstractor = model.tuneVisualAbstractor?.isOn ?? true
    options.precision =
      switch model.precision {
      case .f32: .f32
      case .bf16: .bf16
      case .int8: .int8
      }
    options.tokens = model.numTokens
    options.low = model.minScore
    options.high = model.maxScore
    options.maxLength = data.modelMaxLength
    options.settings = try settings(folder)
    options.epochs = optimiser.numTrainEpochs ?? (model.train == .head ? 100 : 3)
    options.mostSteps = optimiser.maxSteps
    if data.groupByLength { options.order = .byLength }
    if let order = data.order { options.order = .given(try RecordOrder.read(order)) }
    options.seed = optimiser.seed
    options.threads = model.threads
    options.instructionSet = requestedInstructionSet()
    options.saveSteps = output.saveSteps
    options.saveLimit = output.saveTotalLimit == 0 ? nil : output.saveTotalLimit
    options.evaluationSteps = output.evalSteps
    options.saveType = output.saveDtype.dtype
    return options
  }

  private static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { String($0.filter { $0 != " " }) }
  }

  /// The optimiser's settings; weights of the loss are config.json's where they are not given.
  private func settings(_ folder: String) throws -> TrainingSettings {
    var settings = TrainingSettings()
    let isThere = fileExists("\(folder)/config.json")
    let config = isThere ? try readJSON("\(folder)/config.json") : .null
    settings.weights = LossWeights(
      l1: optimiser.l1Weight ?? config["l1_weight"]?.double ?? 0,
      ce: optimiser.ceWeight ?? config["ce_weight"]?.double ?? 0,
      emd: optimiser.emdWeight ?? config["emd_weight"]?.double ?? 0)
    // What is no checkpoint is refused as such.
    if isThere, settings.weights == LossWeights(l1: 0, ce: 0, emd: 0) {
      guard model.train != .head else {
        throw CommandError(
          .usage,
          """
          l1, ce and emd weights are all 0, and --train head trains nothing else; say --l1-weight 1, \
          and --ce-weight and --emd-weight where the records have a target
          """)
      }
      Console.note(
        """
        Warning: l1, ce and emd weights are all 0: only the text is trained, no score; see \
        --l1-weight, --ce-weight, --emd-weight
        """)
    }
    settings.reduction = optimiser.emdReduction
    settings.learningRate = optimiser.learningRate ?? model.train.usualRate
    settings.weightDecay = optimiser.weightDecay
    settings.warmupRatio = optimiser.warmupRatio
    settings.schedule = optimiser.lrSchedulerType
    settings.batchSize = optimiser.perDeviceTrainBatchSize
    settings.accumulation = optimiser.gradientAccumulationSteps
    settings.largestNorm = optimiser.maxGradNorm > 0 ? optimiser.maxGradNorm : nil
    settings.recomputes = optimiser.gradientCheckpointing?.isOn ?? false
    return settings
  }
}
