import RocCheckpoint
package import RocJSON
package import RocModel
package import RocTensor

/// What a training run writes: a whole checkpoint, or an adapter beside its base.
package struct TrainedWeights {
  private let loader: ModelLoader
  private let trained: [TrainedTensor]
  private let lowRank: LowRankPlan?
  private let compute: Compute
  /// Fields of config.json that the training decides.
  private let configuration: [(name: String, value: JSON)]
  /// The base's own name, for an adapter.
  private let base: String

  /// - Parameters:
  ///   - loader: The loader of the model that is trained.
  ///   - trained: Its parameters.
  ///   - lowRank: Makes it an adapter.
  ///   - configuration: Fields of config.json to set.
  ///   - base: The folder or Hub name that an adapter names as its base.
  ///   - compute: Threads.
  package init(
    loader: ModelLoader, trained: [TrainedTensor], lowRank: LowRankPlan?,
    configuration: [(name: String, value: JSON)], base: String, compute: Compute
  ) {
    self.loader = loader
    self.trained = trained
    self.lowRank = lowRank
    self.configuration = configuration
    self.base = base
    self.compute = compute
  }

  /// What peft puts before the names of the base.
  static let adapterPrefix = "base_model.model."

  /// Whether only what was trained is written.
  package var isAdapter: Bool { lowRank != nil }

  /// Rows of the head to replace, from `first` on; nil where whole tensors are trained.
  package var headRows: (first: Int, values: [Float])?

  /// Whether the head is trained away from the embeddings that it was tied to.
  private var unties: Bool {
    loader.sizes.isTied
      && (headRows != nil || trained.contains { $0.name == loader.names.head })
  }

  /// The name of the weights' file.
  var fileName: String { isAdapter ? "adapter_model.safetensors" : "model.safetensors" }

  /// The tensors of the weights' file.
  ///
  /// - Parameter dtype: For trained tensors; float32 where the training may be continued.
  /// - Returns: Tensors in the order of the file.
  func plans(_ dtype: DType) -> [TensorPlan] {
    let values = Dictionary(uniqueKeysWithValues: trained.map { ($0.name, $0) })
    func plan(_ tensor: TrainedTensor, named name: String) -> TensorPlan {
      TensorPlan(name: name, dtype: dtype, shape: tensor.shape) { sink throws(CheckpointError) in
        let values = tensor.parameter.array(compute)
        if dtype == .f16, values.contains(where: { !Float16($0).isFinite }) {
          throw CheckpointError(
            "tensor \(name) has values beyond 65504, the largest of f16; use bf16 or f32", .output)
        }
        try sink.write(narrowed(values, to: dtype))
      }
    }
    guard !isAdapter else {
      return trained.map { plan($0, named: Self.adapterPrefix + $0.name) }
    }
    let names = unties ? loader.checkpoint.names : loader.checkpoint.ownNames
    return names.compactMap { name in
      if let tensor = values[name] { return plan(tensor, named: name) }
      if let rows = headRows, name == loader.names.head, let tensor = loader.checkpoint[name] {
        return Self.head(tensor, rows: rows)
      }
      // What was not trained stays as it is, to the bit.
      return loader.checkpoint[name].map { TensorPlan(copying: $0) }
    }
  }

  /// The head in float32, which holds its other rows exactly whatever format they had.
  private static func head(
    _ tensor: Tensor, rows: (first: Int, values: [Float])
  ) -> TensorPlan {
    TensorPlan(name: tensor.name, dtype: .f32, shape: tensor.shape) {
      sink throws(CheckpointError) in
      let columns = tensor.shape[1]
      let weights = tensor.weights(rows: tensor.shape[0], columns: columns)
      func keep(_ kept: Range<Int>) throws(CheckpointError) {
        for row in kept { try sink.write(narrowed(weights.widened(row: row), to: .f32)) }
      }
      try keep(0..<rows.first)
      try sink.write(narrowed(rows.values, to: .f32))
      try keep(rows.first + rows.values.count / columns..<tensor.shape[0])
    }
  }

  /// Configuration files by name.
  ///
  /// - Parameter dtype: What config.json is to say of the weights; nil leaves it as it is.
  /// - Returns: Their contents.
  /// - Throws: `CheckpointError` when the base's config.json cannot be read.
  func texts(_ dtype: DType?) throws(CheckpointError) -> [String: [UInt8]] {
    let members = try loader.configuration(
      dtype: isAdapter ? nil : dtype, isWhole: !isAdapter, unties: unties, changes: configuration)
    var texts = ["config.json": Self.bytes(.object(members))]
    if let most = loader.mostPixels {
      texts["preprocessor_config.json"] = Self.bytes(
        try Self.limited(loader.checkpoint.json("preprocessor_config.json"), to: most))
    }
    if let lowRank { texts["adapter_config.json"] = Self.bytes(adapterConfig(lowRank)) }
    return texts
  }

  /// Files to copy, name to path: what the model needs and its licence, not a model card or notes
  /// that describe other weights.
  var copies: [String: String] {
    loader.checkpoint.otherFiles.filter { name, _ in
      loader.checkpoint.companions.contains(name)
        || ["generation_config.json", "processor_config.json"].contains(name)
        || name.hasPrefix("chat_template.")
        || (!isAdapter && loader.checkpoint.outside.contains { $0.name == name })
        || ["LICENSE", "LICENCE", "NOTICE", "USE_POLICY"].contains(where: name.hasPrefix)
    }
  }

  /// preprocessor_config.json with the limit that the model was trained with.
  private static func limited(_ json: JSON, to most: Int) -> JSON {
    var members = (json.members ?? []).filter { $0.name != "max_pixels" }
    members.append(JSON.Member("max_pixels", .int(most)))
    return .object(members)
  }

  /// adapter_config.json, as peft writes it for LoRA.
  private func adapterConfig(_ plan: LowRankPlan) -> JSON {
    // Full paths: peft takes every module whose name ends like that, and two paths may end alike.
    var modules: [String] = []
    for tensor in trained where !tensor.name.contains(".lora_") {
      let module = tensor.name.split(separator: ".").dropLast().joined(separator: ".")
      if !modules.contains(module) { modules.append(module) }
    }
    return [
      "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": .string(base),
      "r": .int(plan.rank), "lora_alpha": JSON(number: plan.alpha),
      "lora_dropout": JSON(number: plan.dropout.rate), "bias": "none",
      "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true,
      "target_modules": .array(loader.updated.map { .string($0) }),
      "modules_to_save": modules.isEmpty ? .null : .array(modules.map { .string($0) }),
    ]
  }

  static func bytes(_ json: JSON) -> [UInt8] { Array((json.pretty + "\n").utf8) }
}
