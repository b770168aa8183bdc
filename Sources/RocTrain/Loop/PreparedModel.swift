import RocCheckpoint
import RocDigest
import RocFiles
import RocJSON
package import RocModel
import RocScore
package import RocTensor

/// A model to train, checked but not yet loaded: from the checkpoint that was named, or from where
/// an earlier start stopped.
package struct PreparedModel {
  package let options: TrainingOptions
  package let compute: Compute
  package let folder: TrainingFolder
  package let loader: ModelLoader
  package let readout: ScoreReadout
  package let lowRank: LowRankPlan?
  package let dropout: Dropout?
  /// Parts of a batch that run at the same time.
  package let slots: Int
  /// The updates of the checkpoint to go on from.
  package let resumedFrom: Int?
  /// Where an adapter's base lies.
  package let baseFolder: String

  /// - Parameters:
  ///   - options: What is asked for.
  ///   - note: Called along the way with what the user should know.
  /// - Throws: `TrainingError`, `ModelError` or `CheckpointError` that says what is wrong.
  package init(_ options: TrainingOptions, note: (String) -> Void) throws {
    let compute = try Engine.compute(
      threads: options.threads, instructionSet: options.instructionSet)
    try Self.checkPlaces(options)
    let folder = try TrainingFolder(options.output)
    let base = try Self.base(options, folder, compute, note)
    // The head alone is trained in seconds, always from the beginning.
    let resumed = options.mode == .head || options.startsAnew ? nil : folder.checkpoints.last
    guard options.mode != .head || options.startsAnew || folder.checkpoints.isEmpty else {
      throw TrainingError.state(
        """
        \(folder.path) holds checkpoints of another training; use another --output-dir, or \
        --overwrite-output-dir to begin anew
        """)
    }
    if let resumed {
      let mode = try folder.stateToGoOn(resumed)["settings"]?["mode"]
      guard mode?.line == options.json["mode"]?.line else {
        throw TrainingError.state(
          """
          \(folder.checkpoint(resumed)) belongs to a training of \(Self.name(mode)), not of \
          \(Self.name(options.json["mode"])); use another --output-dir, or --overwrite-output-dir \
          to begin anew
          """)
      }
    } else if !options.startsAnew, let weights = folder.weights.first {
      throw TrainingError.state(
        """
        \(folder.path) holds a model already (\(weights)); use another --output-dir, or \
        --overwrite-output-dir to replace it
        """)
    }
    let slots = try Self.slots(options, base, compute)
    let plan = try Self.plan(options, slots: slots, base, compute)
    let alone =
      slots == 1
      ? compute : try Engine.compute(threads: 1, instructionSet: options.instructionSet)
    var loader = try ModelLoader(
      folder: base, compute: alone, precision: options.precision,
      training: options.mode == .head ? nil : plan)
    loader.mostPixels = options.mostPixels
    try Integrity.check(loader.checkpoint, .always, note: note)
    _ = try loader.preprocessing()
    if case .lora(let settings) = options.mode {
      let components = Set(loader.updated.flatMap { $0.split(separator: ".").map(String.init) })
      let absent = settings.targets.filter { !components.contains($0) }
      guard absent.isEmpty else {
        throw TrainingError.request(
          """
          --lora-targets: no module of the model has a name with \
          \(absent.joined(separator: " or ")); the language model has \
          \(LowRankPlan.languageTargets.joined(separator: ", "))
          """)
      }
    }
    try Self.checkWhole(options, loader)
    note(
      """
      \(options.model): \(memorySize(loader.bytesNeeded)) of weights, gradients and moments as \
      \(loader.precision.rawValue)\(availableMemory().map { ", \(memorySize($0)) free" } ?? ""); \
      \(compute.instructionSet) kernels, \(compute.threads) threads
      """)
    try loader.checkMemory()
    guard let own = loader.readout else {
      throw TrainingError.request("\(options.model) has no score tokens")
    }
    if let tokens = options.tokens, tokens != own.tokens {
      throw TrainingError.request(
        """
        \(options.model) has \(own.tokens) score tokens, --num-tokens is \(tokens). Its trained rows \
        would be lost; begin with a checkpoint without score tokens, or keep \(own.tokens)
        """)
    }
    self.options = options
    self.compute = compute
    self.folder = folder
    self.loader = loader
    readout = own.onScale(
      low: options.low ?? own.axis.low, high: options.high ?? own.axis.high)
    self.slots = slots
    lowRank = plan.lowRank
    dropout = plan.lowRank?.dropout
    resumedFrom = resumed
    baseFolder = base == options.model ? options.hubName ?? absolutePath(base) : absolutePath(base)
  }

  /// Loads the weights, those of an earlier start where there was one.
  ///
  /// Large models take minutes, so records are checked first.
  ///
  /// - Returns: The parts, ready to run.
  /// - Throws: `ModelError`, `TrainingError` or `CheckpointError` that says what is wrong.
  package func load() throws -> ModelParts {
    var parts = try loader.load()
    parts.readout = readout
    if let resumedFrom {
      try folder.goingOn(resumedFrom) {
        try Self.restore(
          parts.trained, from: folder.checkpoint(resumedFrom), isAdapter: lowRank != nil, compute)
      }
    }
    return parts
  }

  /// The model must not be written over, nor removed with the checkpoints of its training.
  private static func checkPlaces(_ options: TrainingOptions) throws(TrainingError) {
    let (model, output) = (absolutePath(options.model), absolutePath(options.output))
    guard model != output else {
      throw .request(
        "\(options.model) is both the model and --output-dir, which would be written over")
    }
    guard !model.hasPrefix("\(output)/") else {
      throw .request(
        """
        \(options.model) lies inside --output-dir \(options.output), whose checkpoints are removed \
        as the training goes on; use another --output-dir
        """)
    }
  }

  /// The name of a kind of training in messages.
  private static func name(_ mode: JSON?) -> String {
    if let name = mode?.string { return "--train \(name)" }
    guard let mode, mode.members != nil else { return "another kind" }
    return "--train lora with \(mode.line)"
  }

  /// The checkpoint to begin from; one without score tokens gets them once, in a folder of its own.
  private static func base(
    _ options: TrainingOptions, _ folder: TrainingFolder, _ compute: Compute,
    _ note: (String) -> Void
  ) throws -> String {
    let checked = try ModelLoader(folder: options.model, compute: compute, precision: nil)
    guard checked.checkpoint.adapter == nil else {
      throw TrainingError.request(
        """
        \(options.model) is an adapter; merge it into its base first: roc-model convert \
        \(options.model) MERGED --dtype bf16
        """)
    }
    guard checked.checkpoint.layout == nil else {
      throw TrainingError.request(
        "\(options.model) is packed; use the checkpoint that it was converted from")
    }
    guard checked.readout == nil else { return options.model }
    guard let tokens = options.tokens, let low = options.low, let high = options.high else {
      throw TrainingError.request(
        """
        \(options.model) has no score tokens; say how many it is to get, and the scale: \
        --num-tokens 10 --min-score 1 --max-score 10
        """)
    }
    // Another base, or another scale, is another folder.
    let source = "\(try checked.checkpoint.sha256()) \(tokens) \(low) \(high)"
    let path = "\(folder.path)/\(TrainingFolder.baseName)-\(SHA256.of(source).prefix(12))"
    guard !fileExists(path) else { return path }
    note("\(options.model) has no score tokens; \(path) gets [SCORE] and \(tokens) of them")
    try ScoreTokens.add(
      to: options.model, folder: path, axis: ScoreAxis(low: low, high: high, count: tokens),
      compute: compute)
    return path
  }

  /// What is trained whole beside low-rank updates must be modules: a lone parameter has no place
  /// in an adapter.
  private static func checkWhole(
    _ options: TrainingOptions, _ loader: ModelLoader
  ) throws(TrainingError) {
    guard case .lora(let settings) = options.mode else { return }
    for name in settings.whole {
      let tensors = loader.requests.filter { request in
        // Buffers are never trained.
        if case .buffer = request.use { return false }
        return request.name.split(separator: ".").contains(Substring(name))
      }.map(\.name)
      guard !tensors.isEmpty else {
        throw .request("--lora-modules-to-save: the model has no module \(name)")
      }
      if let lone = tensors.first(where: { !$0.hasSuffix(".weight") && !$0.hasSuffix(".bias") }) {
        throw .request(
          """
          --lora-modules-to-save \(name): \(lone) is a parameter without a module, which adapters \
          cannot hold; use --train full with what is to stay frozen
          """)
      }
    }
  }

  /// How many parts a batch is run in.
  ///
  /// Small products do not fill two threads; samples of small models are therefore taken two at a
  /// time instead. Model and batch decide it, not the machine, since it decides the order of sums.
  private static func slots(
    _ options: TrainingOptions, _ base: String, _ compute: Compute
  ) throws(ModelError) -> Int {
    guard options.mode == .full, options.settings.batchSize > 1 else { return 1 }
    let requests = try ModelLoader(folder: base, compute: compute, precision: nil).requests
    let values = requests.reduce(0) { $0 + $1.shape.reduce(1, *) }
    return values <= Self.smallModel ? 2 : 1
  }

  /// The most values of a model whose gradients are kept twice.
  private static let smallModel = 100_000_000

  private static func plan(
    _ options: TrainingOptions, slots: Int, _ base: String, _ compute: Compute
  ) throws(ModelError) -> TrainingPlan {
    let part = try ModelLoader(folder: base, compute: compute, precision: nil).names.part
    guard case .lora(let settings) = options.mode else {
      let (freezesVision, tunesAbstractor) = (options.freezesVision, options.tunesAbstractor)
      return TrainingPlan(slots: slots) { name in
        switch part(name) {
        case .vision: !freezesVision
        case .connector: tunesAbstractor
        default: true
        }
      }
    }
    let whole = Set(settings.whole)
    return TrainingPlan(
      lowRank: LowRankPlan(
        rank: settings.rank, alpha: settings.alpha,
        targets: settings.targets.isEmpty ? LowRankPlan.languageTargets : settings.targets,
        dropout: Dropout(rate: settings.dropout), seed: options.seed,
        mayInclude: { module in
          // CLIP's projections are named like LLaMA's; updates are meant for the language model.
          if !settings.targets.isEmpty { return true }
          if case .language = part("\(module).weight") { return true }
          return false
        })
    ) { name in
      // The weight of a module that is named, or a parameter of that name.
      name.split(separator: ".").contains { whole.contains(String($0)) }
    }
  }

  /// Sets trained parameters back to their values in a checkpoint.
  ///
  /// All else comes from the base, so that checkpoints can be removed while a training run goes on.
  private static func restore(
    _ trained: [TrainedTensor], from folder: String, isAdapter: Bool, _ compute: Compute
  ) throws {
    var tensors: [String: Tensor] = [:]
    for name in folderEntries(folder) {
      guard name.hasSuffix(".safetensors"), name != TrainingFolder.optimiserFile else { continue }
      for tensor in try SafetensorsFile(path: "\(folder)/\(name)").tensors {
        tensors[tensor.name] = tensor
      }
    }
    let prefix = isAdapter ? TrainedWeights.adapterPrefix : ""
    for tensor in trained {
      guard let stored = tensors[prefix + tensor.name], stored.shape == tensor.shape,
        stored.dtype == .f32
      else {
        throw TrainingError.state(
          "\(folder): tensor \(tensor.name): expected F32 values of shape \(tensor.shape)")
      }
      tensor.parameter.replace(with: stored.widened, compute)
      tensor.weights?.refresh(compute)
    }
  }
}
