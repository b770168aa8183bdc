package import RocJSON
package import RocTokenizer

/// A model of random weights that `roc-model init` makes: a network with its sizes.
package struct ModelPreset: Sendable, Hashable {
  package let name: String
  private let make: @Sendable (RandomRequest) throws(TokenizerError) -> RandomRecipe

  /// - Parameters:
  ///   - name: As it is asked for.
  ///   - recipe: What to write.
  init(
    _ name: String,
    recipe: @escaping @Sendable (RandomRequest) throws(TokenizerError) -> RandomRecipe
  ) {
    self.name = name
    make = recipe
  }

  /// Those of all backbones, in their order.
  package static let all = Backbones.all.flatMap { $0.presets }

  /// The preset of that name.
  package static func named(_ name: String) -> ModelPreset? { all.first { $0.name == name } }

  package static func == (a: ModelPreset, b: ModelPreset) -> Bool { a.name == b.name }

  package func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// Its config.json.
  ///
  /// - Throws: `TokenizerError` when its tokenizer cannot be generated.
  package func configuration() throws(TokenizerError) -> JSON {
    try recipe(RandomRequest()).config
  }

  /// What to write for it.
  ///
  /// - Throws: `TokenizerError` when its tokenizer cannot be generated.
  func recipe(_ request: RandomRequest) throws(TokenizerError) -> RandomRecipe {
    try make(request)
  }
}

/// What is asked of a random model besides its preset.
package struct RandomRequest: Sendable {
  /// Score tokens, the score of the first one and of the last one.
  package let tokens: Int
  package let low: Double
  package let high: Double
  /// PyTorch's name of the weights' format.
  package let dtype: String

  package init(tokens: Int = 10, low: Double = 1, high: Double = 10, dtype: String = "bfloat16") {
    self.tokens = tokens
    self.low = low
    self.high = high
    self.dtype = dtype
  }
}
