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

/// From options and files to what a training run begins with.
extension TrainingCommand {
  /// Where the records come from.
  func input() throws -> TrainingInput {
    if let file = data.dataPath, let folder = data.imageFolder {
      return .files(training: file, heldOut: data.evalDataPath, images: folder)
    }
    return .splits(
      dataset: data.dataset ?? "", training: data.split ?? "", heldOut: data.evalSplit,
      try data.database.open(readOnly: true))
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
    options.mostPixels = model.maxPixels
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
    // What is not a checkpoint is refused as such.
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
