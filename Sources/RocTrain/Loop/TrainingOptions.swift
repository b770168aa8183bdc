package import RocJSON
package import RocTensor

/// What is asked of a training run.
package struct TrainingOptions: Sendable {
  /// What is trained.
  package enum Mode: Sendable, Equatable {
    /// All weights, but for what is frozen.
    case full
    /// Low-rank updates beside fixed weights, and some modules whole.
    case lora(LowRankSettings)
    /// The score tokens' rows of the head, on stored hidden states.
    case head
  }

  package struct LowRankSettings: Sendable, Equatable {
    package var rank = 16
    package var alpha = 32.0
    package var dropout = 0.05
    /// Components of module names.
    package var targets: [String] = []
    /// Modules that are trained whole.
    package var whole = ["lm_head", "embed_tokens"]

    package init() {}
  }

  /// The checkpoint folder to begin from.
  package var model: String
  /// Its name on the Hub, when it was found under that name in the local cache.
  package var hubName: String?
  package var output: String
  /// Whether what the folder holds of an earlier training run is discarded.
  package var startsAnew = false
  package var mode = Mode.full
  package var freezesVision = false
  package var tunesAbstractor = true
  package var precision = Precision.f32
  /// Score tokens, to be added to a checkpoint without them.
  package var tokens: Int?
  /// The scale; the checkpoint's when nil.
  package var low: Double?
  package var high: Double?
  package var maxLength = 2048
  /// The most pixels of a picture; nil for what the checkpoint says.
  package var mostPixels: Int?
  /// `steps` is computed from the epochs unless given.
  package var settings = TrainingSettings()
  package var epochs = 3.0
  package var mostSteps: Int?
  package var order: Order = .shuffled
  package var seed: UInt64 = 42
  package var threads: Int?
  package var instructionSet: String?
  /// Updates between two checkpoints; nil for one at the end only.
  package var saveSteps: Int?
  /// Checkpoints that are kept; nil for all.
  package var saveLimit: Int? = 2
  /// Updates between two evaluations; nil for one at the end.
  package var evaluationSteps: Int?
  /// The number format of the model that is written at the end.
  package var saveType = DType.f32
  /// Bytes that prepared pictures may take.
  package var cacheSize = 2 << 30

  package enum Order: Sendable, Equatable {
    case shuffled
    case byLength
    /// Places of records, from 0.
    case given([Int])
  }

  package init(model: String, output: String) {
    self.model = model
    self.output = output
  }

  /// Everything that decides the weights, but for model and data, as it stands in
  /// trainer_state.json.
  package var json: JSON {
    let order: JSON
    switch self.order {
    case .shuffled: order = "shuffled"
    case .byLength: order = "by length"
    case .given(let places): order = .array(places.map { .int($0) })
    }
    var mode: JSON = self.mode == .head ? "head" : "full"
    if case .lora(let lora) = self.mode {
      mode = [
        "rank": .int(lora.rank), "alpha": JSON(number: lora.alpha),
        "dropout": JSON(number: lora.dropout),
        "targets": .array(lora.targets.map { .string($0) }),
        "whole": .array(lora.whole.map { .string($0) }),
      ]
    }
    let pixels: [JSON.Member] = mostPixels.map { [.init("max_pixels", .int($0))] } ?? []
    let members: JSON = [
      "mode": mode, "freeze_vision_model": .bool(freezesVision),
      "tune_visual_abstractor": .bool(tunesAbstractor), "precision": .string(precision.rawValue),
      "model_max_length": .int(maxLength), "l1_weight": JSON(number: settings.weights.l1),
      "ce_weight": JSON(number: settings.weights.ce),
      "emd_weight": JSON(number: settings.weights.emd),
      "emd_reduction": .string(settings.reduction.rawValue),
      "learning_rate": JSON(number: settings.learningRate),
      "weight_decay": JSON(number: settings.weightDecay),
      "warmup_ratio": JSON(number: settings.warmupRatio),
      "lr_scheduler_type": .string(settings.schedule.rawValue),
      "per_device_train_batch_size": .int(settings.batchSize),
      "gradient_accumulation_steps": .int(settings.accumulation),
      "max_grad_norm": settings.largestNorm.map { JSON(number: $0) } ?? .int(0),
      "max_steps": .int(settings.steps), "order": order,
      "seed": .int(Int(truncatingIfNeeded: seed)),
    ]
    return .object((members.members ?? []) + pixels)
  }
}
