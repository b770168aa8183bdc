package import RocTensor

/// Which weights get a low-rank update that is trained in their place.
package struct LowRankPlan: Sendable {
  package let rank: Int
  package let alpha: Double
  /// Components of a module's name, such as `q_proj` in `model.layers.0.self_attn.q_proj`.
  package let targets: [String]
  package let dropout: Dropout
  package let seed: UInt64
  /// Whether a module may get one, whatever its name.
  private let mayInclude: @Sendable (String) -> Bool

  package init(
    rank: Int, alpha: Double, targets: [String], dropout: Dropout, seed: UInt64,
    mayInclude: @escaping @Sendable (String) -> Bool = { _ in true }
  ) {
    self.mayInclude = mayInclude
    self.rank = rank
    self.alpha = alpha
    self.targets = targets
    self.dropout = dropout
    self.seed = seed
  }

  /// Every projection of the language model.
  package static let languageTargets = [
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
  ]

  package var scale: Float { Float(alpha / Double(rank)) }

  /// Whether the module of that name gets an update.
  package func includes(_ module: String) -> Bool {
    module.split(separator: ".").contains { targets.contains(String($0)) } && mayInclude(module)
  }

  /// The names of A and B of a module.
  package static func names(_ module: String) -> (down: String, up: String) {
    ("\(module).lora_A.weight", "\(module).lora_B.weight")
  }

  /// A with the variance that peft gives it, 1/(3 · inputs), and B zero.
  func start(
    _ module: String, outputs: Int, inputs: Int, _ compute: Compute
  ) -> (down: [Float], up: [Float]) {
    let names = Self.names(module)
    let noise = Noise(
      seed: seed, name: names.down, deviation: 1 / (3 * Float(inputs)).squareRoot())
    return (
      noise.values(from: 0, count: rank * inputs, compute),
      [Float](repeating: 0, count: outputs * rank)
    )
  }
}

/// Which parts of a model are trained.
package struct TrainingPlan: Sendable {
  /// Whether the tensor of a name is trained whole.
  package let trains: @Sendable (String) -> Bool
  /// Low-rank updates of tensors that are not.
  package let lowRank: LowRankPlan?
  /// Parts of a batch whose gradients are summed separately, at the same time.
  package let slots: Int

  package init(
    lowRank: LowRankPlan? = nil, slots: Int = 1,
    trains: @escaping @Sendable (String) -> Bool = { _ in true }
  ) {
    self.slots = slots
    self.lowRank = lowRank
    self.trains = trains
  }
}
