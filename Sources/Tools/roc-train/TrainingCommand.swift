import RocCheckpoint
import RocData
import RocJSON
import RocMetrics
import RocModel
import RocReport
import RocScore
import RocStore
import RocTensor
import RocTool
import RocTrain

/// From options to a trained model.
struct TrainingCommand {
  private let data: DataOptions
  private let model: ModelOptions
  private let optimiser: OptimiserOptions
  private let output: OutputOptions

  init(_ command: RocTrainCommand) {
    data = command.data
    model = command.model
    optimiser = command.optimiser
    output = command.output
  }

  func run() throws -> ExitStatus {
    Interrupt.listen()
    do {
      return try train()
    } catch let error as TrainingDataError {
      try list(error)
      return .checkFailed
    } catch let error as CheckpointError {
      throw commandError(error)
    } catch ModelError.output(let error) {
      throw commandError(error)
    } catch ModelError.checkpoint(let message) {
      throw CommandError(.badCheckpoint, message)
    } catch ModelError.request(let message) {
      throw CommandError(.usage, message)
    } catch let error as ModelError {
      throw CommandError(.failed, error.description)
    } catch let error as TrainingError {
      if case .request = error { throw CommandError(.usage, error.description) }
      if case .busy = error { throw CommandError(.busy, error.description) }
      if case .state = error { throw CommandError(.checkFailed, error.description) }
      throw CommandError(.failed, error.description)
    }
  }

  private func train() throws -> ExitStatus {
    let options = try trainingOptions()
    let prepared = try PreparedModel(options, note: Console.note)
    let (training, heldOut, pictures) = try read(prepared)
    for warning in training.warnings.prefix(5) {
      Console.note("Warning: record \(warning.record): \(warning.field): \(warning.message)")
    }
    if training.warnings.count > 5 {
      Console.note(
        "… and \(training.warnings.count - 5) more warnings; roc-data validate lists all")
    }
    let parts = try prepared.load()
    // Only now: nothing is lost to a mistyped name, a bad record or broken weights.
    if output.overwriteOutputDir { prepared.folder.clear() }
    if model.train == .head {
      return try trainHead(prepared, parts, training, heldOut: heldOut, pictures)
    }
    let job = try TrainingJob(
      prepared, parts: parts, data: training, heldOut: heldOut, pictures: pictures)
    let taught = training.samples.reduce(0) { $0 + $1.text.supervisedCount }
    Console.note(
      """
      \(training.samples.count) records, \(taught) taught tokens, \
      \(training.samples.reduce(0) { $0 + $1.scores.count }) scores; \
      \(job.options.settings.steps) updates\
      \(job.resumedFrom > 0 ? ", going on after \(job.resumedFrom)" : "")
      """)
    let run = try TrainingRun(job)
    var meter = TrainingMeter(steps: job.options.settings.steps, from: job.resumedFrom)
    func tell(_ event: TrainingRun.Event) throws {
      switch event {
      case .step(let report):
        meter.show(report)
        if output.jsonl { try Console.print(report.json.line, endsWhenClosed: false) }
      case .evaluated(let evaluation): meter.note(Self.line(evaluation))
      case .saved(let folder): meter.note("saved \(folder)")
      }
    }
    let outcome = try run.run(shouldStop: { Interrupt.status != nil }, tell: tell)
    meter.finish()
    try draw(run.reports, run.evaluations)
    guard outcome == .done else {
      Console.note("stopped; the same command goes on from here")
      return Interrupt.status ?? .interrupted
    }
    Console.note("\(output.outputDir): the model is there")
    if data.dataset != nil { try remember(try data.database.open()) }
    return .done
  }

  private func trainHead(
    _ prepared: PreparedModel, _ parts: ModelParts, _ training: TrainingData,
    heldOut: TrainingData?,
    _ pictures: PictureStore
  ) throws -> ExitStatus {
    let store = try data.database.open(creates: true)
    let job = try HeadJob(prepared, parts: parts, store: store, pictures: pictures)
    var states = Progress("hidden states", total: training.samples.count, unit: "pictures")
    var seen = 0
    func tell(_ event: HeadJob.Event) throws {
      switch event {
      case .states(let done, let all, let computed):
        if done == all { seen += computed }
        states.update(done)
      case .step(let report):
        if output.jsonl { try Console.print(report.json.line, endsWhenClosed: false) }
      case .evaluated(let evaluation):
        states.finish()
        Console.note(Self.line(evaluation))
      }
    }
    let (log, isDone) = try job.run(
      training, heldOut: heldOut, shouldStop: { Interrupt.status != nil }, tell: tell)
    states.finish()
    guard isDone else {
      Console.note("stopped; hidden states that were computed are kept in \(store.path)")
      return Interrupt.status ?? .interrupted
    }
    try draw(log.reports, log.evaluations)
    Console.note(
      """
      \(output.outputDir): the model is there, after \(log.reports.count) updates of the score \
      tokens' rows; the model saw \(seen) pictures, the other states came from \(store.path)
      """)
    try remember(store)
    return .done
  }

  /// Keeps in the database what the new checkpoint was trained on, so that no table is made of
  /// pictures that it has seen.
  private func remember(_ store: Store) throws {
    guard let dataset = data.dataset, let split = data.split else { return }
    let record = try store.dataset(dataset)
    guard let name = try store.samples(record, split: split).split else { return }
    try store.addTrainingPart(
      of: try Checkpoint(folder: output.outputDir).sha256(), dataset: dataset, split: name)
  }

  private static func line(_ evaluation: Evaluation) -> String {
    func text(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "-" }
    let interval = evaluation.interval.map { " (95 %: \(text($0.low)) to \(text($0.high)))" } ?? ""
    return """
      step \(evaluation.step): SRCC \(text(evaluation.srcc))\(interval), PLCC \
      \(text(evaluation.plcc)), MAE \(text(evaluation.mae)) on \(evaluation.count) held-out scores
      """
  }

  /// The curves of all starts.
  private func draw(_ reports: [StepReport], _ evaluations: [Evaluation]) throws {
    var total = LossCurve(name: "total")
    var parts: [String: LossCurve] = [:]
    let names = ["text", "l1", "ce", "emd"]
    for report in reports {
      total.add(step: report.step, value: report.loss)
      for (name, value) in [
        ("text", report.parts.text), ("l1", report.parts.l1), ("ce", report.parts.ce),
        ("emd", report.parts.emd),
      ] {
        guard let value else { continue }
        parts[name, default: LossCurve(name: name)].add(step: report.step, value: value)
      }
    }
    let figure = Figure.lossCurves([total] + names.compactMap { parts[$0] })
    try OutputFile.write(figure.svg, to: "\(output.outputDir)/losses.svg")
    let points = evaluations.compactMap { evaluation in
      evaluation.srcc.map {
        (
          step: evaluation.step, srcc: $0,
          interval: evaluation.interval.map { (low: $0.low, high: $0.high) }
        )
      }
    }
    guard points.count > 1 else { return }
    try OutputFile.write(
      Figure.heldOutCorrelation(points).svg, to: "\(output.outputDir)/heldout.svg")
  }

  /// Every finding of records that cannot be trained with.
  private func list(_ error: TrainingDataError) throws {
    for finding in error.findings.prefix(50) {
      let place = finding.record == 0 ? "file" : "record \(finding.record): \(finding.field)"
      Console.note("error: \(place): \(finding.message)")
    }
    if error.findings.count > 50 { Console.note("… and \(error.findings.count - 50) more") }
    Console.note(
      """
      Error: \(error.source): \(error.findings.count) errors in \(error.records) records; nothing \
      was trained
      """)
  }

  private func commandError(_ error: CheckpointError) -> CommandError {
    switch error.kind {
    case .unusable: CommandError(.badCheckpoint, error.message)
    case .exists: CommandError(.usage, error.message)
    case .output: CommandError(.failed, error.message)
    case .interrupted: CommandError(Interrupt.status ?? .interrupted, error.message)
    }
  }
}

extension TrainingCommand {
  /// Records and pictures, all checked.
  private func read(
    _ model: PreparedModel
  ) throws -> (TrainingData, heldOut: TrainingData?, PictureStore) {
    let sources = try sources(model.readout)
    let paths = [sources.training.path] + (sources.heldOut.map { [$0.path] } ?? [])
    let pictures = PictureStore(
      preprocessing: try model.loader.preprocessing(), capacity: model.options.cacheSize
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

  private func trainingOptions() throws -> TrainingOptions {
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
    let config = fileExists("\(folder)/config.json") ? try readJSON("\(folder)/config.json") : .null
    settings.weights = LossWeights(
      l1: optimiser.l1Weight ?? config["l1_weight"]?.double ?? 0,
      ce: optimiser.ceWeight ?? config["ce_weight"]?.double ?? 0,
      emd: optimiser.emdWeight ?? config["emd_weight"]?.double ?? 0)
    if settings.weights == LossWeights(l1: 0, ce: 0, emd: 0) {
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
