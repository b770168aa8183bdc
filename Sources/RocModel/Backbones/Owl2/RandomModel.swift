import RocCheckpoint
import RocJSON
package import RocTensor
import RocTokenizer

/// Writes a checkpoint of random weights that answers as a trained one does.
///
/// Embeddings have a spread (standard deviation) of 1, matrices one of 1/√inputs, those at the end
/// of a residual branch 1/√(2 · layers · inputs), so that the residual stream stays close to the
/// embedding of its token. The rows of the head for the expected answer are planted: each is the
/// embedding of the token before, so that greedy decoding says the answer whatever the picture
/// shows. The score tokens' rows are noise, so scores mean nothing and do differ.
package struct RandomModel {
  package let preset: ModelPreset
  package let seed: UInt64
  package let dtype: DType
  package let tokens: Int
  package let low: Double
  package let high: Double

  /// - Parameters:
  ///   - preset: Sizes.
  ///   - seed: Another seed gives another model, the same the same bytes.
  ///   - dtype: `f32`, `f16` or `bf16`.
  ///   - tokens: Score tokens.
  ///   - low: The score of the first one.
  ///   - high: The score of the last one.
  package init(
    preset: ModelPreset, seed: UInt64, dtype: DType = .bf16, tokens: Int = 10, low: Double = 1,
    high: Double = 10
  ) {
    self.preset = preset
    self.seed = seed
    self.dtype = dtype
    self.tokens = tokens
    self.low = low
    self.high = high
  }

  /// Words that the prompts and answers of this field are made of.
  static let words = [
    "The", "aesthetic", "rate", "of", "the", "image", "is", ".", "A", "chat", "between", "a",
    "curious", "user", "and", "an", "artificial", "intelligence", "assistant", "gives", "helpful",
    "detailed", "polite", "answers", "to", "user's", "questions", "USER", "ASSISTANT", "Please",
    "aesthetics", "quality", "color", "content", "composition", "light", "How", "would", "you",
    "this", "excellent", "good", "fair", "poor", "bad",
  ]

  /// How large the logit of an expected token is, the others' spread being about 1/2.
  private static let planted: Float = 20

  /// - Parameters:
  ///   - folder: Must not exist.
  ///   - compute: Threads.
  ///   - progress: Called with the bytes that are written and those in all; false stops.
  /// - Throws: `ModelError` when the folder exists or the disk is full.
  package func write(
    to folder: String, compute: Compute, progress: (Int, Int) -> Bool = { _, _ in true }
  ) throws(ModelError) {
    let writer = try creating(folder)
    let tokenizer: GeneratedTokenizer
    let config: Owl2
    let pieces: Int
    let json: JSON
    do {
      tokenizer = try GeneratedTokenizer(words: Self.words, count: preset.sizes.pieces)
      pieces = tokenizer.pieces.count
      json = preset.config(
        pieces: pieces, tokens: tokens, low: low, high: high, dtype: dtype.torchName)
      config = try Owl2(BackboneSource(ConfigReader(json: json, place: "config.json")))
    } catch {
      throw .request("\(error)")
    }
    let added = TokenizerFiles.scoreTokens(tokens)
    var texts = TokenizerFiles.texts(added: added, first: pieces)
    texts["tokenizer.model"] = tokenizer.model
    texts["config.json"] = TokenizerFiles.bytes(json)
    texts["preprocessor_config.json"] = TokenizerFiles.bytes(preset.preprocessor)
    texts["generation_config.json"] = TokenizerFiles.bytes([
      "_from_model_config": true, "bos_token_id": 1, "eos_token_id": 2,
      "transformers_version": "4.31.0",
    ])
    let reader = WeightReader(.empty, precision: .f32, compute: compute, isChecking: true)
    _ = config.networks(reader, compute)
    let successors = successors(of: tokenizer, pieces: pieces)
    var plans = [TensorPlan(name: "learned_weight", dtype: dtype, shape: [1], values: [0])]
    plans += reader.requests.map { plan($0, config, successors, compute) }
    // Computed anew by every engine, but transformers 4.31 warns of weights without them. Never
    // rounded: it would take them over.
    let frequencies = RotaryTable.frequencies(
      width: config.language.headWidth, theta: config.language.rotary.theta)
    plans += (0..<config.language.layers).map {
      TensorPlan(
        name: "model.layers.\($0).self_attn.rotary_emb.inv_freq", dtype: .f32,
        shape: [frequencies.count], values: frequencies)
    }
    do throws(CheckpointError) {
      try writer.write(
        CheckpointContents(weights: plans, texts: texts), progress: progress)
    } catch {
      throw .output(error)
    }
  }

  /// The token that follows another in the expected answer: id after id.
  private func successors(of tokenizer: GeneratedTokenizer, pieces: Int) -> [Int: Int] {
    let ids = Dictionary(
      tokenizer.pieces.enumerated().map { ($1.text, $0) }, uniquingKeysWith: { first, _ in first })
    let texts = [":", "▁The", "▁aesthetic", "▁rate", "▁of", "▁the", "▁image", "▁is"]
    let sentence =
      texts.compactMap { ids[$0] } + [pieces] + ["▁.", "▁"].compactMap { ids[$0] } + [2]
    return Dictionary(
      zip(sentence.dropFirst(), sentence).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
  }

  private func plan(
    _ request: TensorRequest, _ config: Owl2, _ before: [Int: Int], _ compute: Compute
  ) -> TensorPlan {
    let count = request.shape.reduce(1, *)
    func constant(_ value: Float) -> TensorPlan {
      TensorPlan(
        name: request.name, dtype: dtype, shape: request.shape,
        values: [Float](repeating: value, count: count))
    }
    switch request.use {
    case .buffer(let values):
      return TensorPlan(
        name: request.name, dtype: dtype, shape: request.shape, values: values())
    case .values where request.name.hasSuffix(".bias"): return constant(0)
    case .values where request.shape.count == 1: return constant(1)
    case .values: return noise(request, deviation: 1, compute)
    case .matrix(_, let inputs, _):
      if request.name == Owl2.names.head { return head(request, config, before, compute) }
      let spread = 1 / Float(inputs).squareRoot()
      let depth = residualDepth(request.name, config)
      return noise(
        request, deviation: depth.map { spread / Float(2 * $0).squareRoot() } ?? spread,
        compute)
    }
  }

  /// Layers of the network whose residual stream this matrix adds to; nil for other matrices.
  private func residualDepth(_ name: String, _ config: Owl2) -> Int? {
    for (end, layers) in [
      ("self_attn.o_proj.weight", config.language.layers),
      ("mlp.down_proj.weight", config.language.layers),
      ("self_attn.dense.weight", config.vision.layers), ("mlp.fc2.weight", config.vision.layers),
      ("output.out_proj.weight", config.abstractor.layers),
      ("output.mlp.w2.weight", config.abstractor.layers),
    ] where name.hasSuffix(end) { return layers }
    return nil
  }

  /// Values that are made at once, a multiple of what a worker takes.
  private static let stretch = 1 << 24

  private func noise(
    _ request: TensorRequest, deviation: Float, _ compute: Compute
  ) -> TensorPlan {
    let noise = Noise(seed: seed, name: request.name, deviation: deviation)
    let count = request.shape.reduce(1, *)
    return TensorPlan(name: request.name, dtype: dtype, shape: request.shape) {
      [dtype] sink throws(CheckpointError) in
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: min(count, Self.stretch) * dtype.size, alignment: 64)
      defer { buffer.deallocate() }
      for first in stride(from: 0, to: count, by: Self.stretch) {
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<(min(count - first, Self.stretch) * dtype.size)])
        noise.fill(part, from: first, as: dtype, compute)
        try sink.write(UnsafeRawBufferPointer(part))
      }
    }
  }

  private func head(
    _ request: TensorRequest, _ config: Owl2, _ before: [Int: Int], _ compute: Compute
  ) -> TensorPlan {
    let width = config.language.width
    let rows = config.language.vocabulary
    let embeddings = Noise(seed: seed, name: Owl2.names.embeddings, deviation: 1)
    let other = Noise(seed: seed, name: request.name, deviation: 0.5 / Float(width).squareRoot())
    // Score tokens spread wider, or every distribution would be nearly flat.
    let score = Noise(seed: seed, name: request.name, deviation: 2 / Float(width).squareRoot())
    return TensorPlan(name: request.name, dtype: dtype, shape: request.shape) {
      [dtype, tokens] sink throws(CheckpointError) in
      for row in 0..<rows {
        let values: [Float]
        if let token = before[row] {
          values = embeddings.values(from: token * width, count: width, compute)
            .map { $0 * Self.planted / Float(width) }
        } else {
          values = (row < rows - tokens ? other : score)
            .values(from: row * width, count: width, compute)
        }
        try sink.write(narrowed(values, to: dtype))
      }
    }
  }
}

extension DType {
  /// PyTorch's name of a float format.
  package var torchName: String {
    switch self {
    case .f32: "float32"
    case .f16: "float16"
    default: "bfloat16"
    }
  }
}
