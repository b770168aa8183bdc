import RocCheckpoint
import RocJSON
package import RocTensor
import RocTokenizer

/// Writes a checkpoint of random weights that answers as a trained one does.
///
/// Embeddings have a spread (standard deviation) of 1, matrices one of 1/√inputs, those at the end
/// of a residual branch 1/√(2 · layers · inputs), so that the residual stream stays close to the
/// embedding of its token. The rows of the head for the expected answer are planted: each is the
/// embedding of the token before, so that greedy decoding gives the answer whatever the picture
/// shows. The score tokens' rows are noise, so scores mean nothing but do differ. What tied tables
/// need is said in `TiedPlanting`.
package struct RandomModel {
  package let preset: ModelPreset
  package let seed: UInt64
  package let dtype: DType
  private let request: RandomRequest

  /// - Parameters:
  ///   - preset: Kind and sizes.
  ///   - seed: Another seed gives another model, the same seed the same bytes.
  ///   - dtype: `f32`, `f16` or `bf16`.
  ///   - tokens: Score tokens.
  ///   - range: The scores of the first one and of the last one.
  package init(
    preset: ModelPreset, seed: UInt64, dtype: DType = .bf16, tokens: Int = 10,
    range: ClosedRange<Double> = 1...10
  ) {
    self.preset = preset
    self.seed = seed
    self.dtype = dtype
    request = RandomRequest(
      tokens: tokens, low: range.lowerBound, high: range.upperBound, dtype: dtype.torchName)
  }

  /// How large the logit of an expected token is, the others' spread being about 1/2.
  private static let planted: Float = 20

  /// - Parameters:
  ///   - folder: Must not exist.
  ///   - compute: Threads.
  ///   - progress: Called with the bytes written so far and the total; false stops.
  /// - Throws: `ModelError` when the folder exists or the disk is full.
  package func write(
    to folder: String, compute: Compute, progress: (Int, Int) -> Bool = { _, _ in true }
  ) throws(ModelError) {
    let writer = try creating(folder)
    let recipe: RandomRecipe
    do throws(TokenizerError) {
      recipe = try preset.recipe(request)
    } catch {
      throw .request(error.message)
    }
    let config = ConfigReader(json: recipe.config, place: "config.json")
    let backbone = try Backbones.find(config, among: Backbones.all).init(
      try BackboneSource(config))
    var texts = recipe.texts
    texts["config.json"] = TokenizerFiles.bytes(recipe.config)
    let reader = WeightReader(.empty, precision: .f32, compute: compute, isChecking: true)
    _ = backbone.networks(reader, compute)
    let requests = reader.requests.filter {
      !backbone.sizes.isTied || $0.name != backbone.names.head
    }
    let plans =
      recipe.leading + requests.map { plan($0, backbone, recipe, compute) } + recipe.trailing
    do throws(CheckpointError) {
      try writer.write(
        CheckpointContents(weights: plans, texts: texts), progress: progress)
    } catch {
      throw .output(error)
    }
  }

  private func plan(
    _ request: TensorRequest, _ backbone: any Backbone, _ recipe: RandomRecipe, _ compute: Compute
  ) -> TensorPlan {
    let count = request.shape.reduce(1, *)
    func constant(_ value: Float) -> TensorPlan {
      TensorPlan(
        name: request.name, dtype: dtype, shape: request.shape,
        values: [Float](repeating: value, count: count))
    }
    let tied =
      backbone.sizes.isTied
      ? TiedPlanting(
        sentence: recipe.sentence, scores: backbone.readout?.ids ?? 0..<0,
        width: request.shape.last ?? 1) : nil
    switch request.use {
    case .buffer(let values):
      return TensorPlan(
        name: request.name, dtype: dtype, shape: request.shape, values: values())
    case .values where request.name == recipe.finalNorm && tied != nil:
      return TensorPlan(
        name: request.name, dtype: dtype, shape: request.shape,
        values: (0..<count).map(TiedPlanting.sign))
    case .values where request.name.hasSuffix(".bias"): return constant(0)
    case .values where request.shape.count == 1: return constant(1)
    case .values where request.name == backbone.names.embeddings && tied != nil:
      return tied?.embeddings(
        request, Noise(seed: seed, name: request.name, deviation: 1), dtype, compute)
        ?? constant(0)
    case .values: return noise(request, deviation: 1, compute)
    case .matrix(_, let inputs, _):
      if request.name == backbone.names.head { return head(request, backbone, recipe, compute) }
      let spread = 1 / Float(inputs).squareRoot()
      guard let depth = backbone.sizes.depth(ofBranchEnd: request.name) else {
        return noise(request, deviation: spread, compute)
      }
      // Beside tied tables, whose rows are short, a branch must add as little.
      let share = backbone.sizes.isTied ? TiedPlanting.spread(width: request.shape[0]) : 1
      return noise(
        request, deviation: share * spread / Float(2 * depth).squareRoot(), compute)
    }
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
    _ request: TensorRequest, _ backbone: any Backbone, _ recipe: RandomRecipe, _ compute: Compute
  ) -> TensorPlan {
    let (rows, width) = (request.shape[0], request.shape[1])
    // For each token of the expected answer, the token before it.
    let before = Dictionary(
      zip(recipe.sentence.dropFirst(), recipe.sentence).map { ($0, $1) },
      uniquingKeysWith: { first, _ in first })
    let scores = backbone.readout?.ids ?? 0..<0
    let embeddings = Noise(seed: seed, name: backbone.names.embeddings, deviation: 1)
    let other = Noise(seed: seed, name: request.name, deviation: 0.5 / Float(width).squareRoot())
    // Score tokens spread wider, or every distribution would be nearly flat.
    let score = Noise(seed: seed, name: request.name, deviation: 2 / Float(width).squareRoot())
    return TensorPlan(name: request.name, dtype: dtype, shape: request.shape) {
      [dtype] sink throws(CheckpointError) in
      for row in 0..<rows {
        let values: [Float]
        if let token = before[row] {
          values = embeddings.values(from: token * width, count: width, compute)
            .map { $0 * Self.planted / Float(width) }
        } else {
          values = (scores.contains(row) ? score : other)
            .values(from: row * width, count: width, compute)
        }
        try sink.write(narrowed(values, to: dtype))
      }
    }
  }
}

/// How an answer is planted where the head's rows are those of the embeddings.
///
/// A token's own row would always win, being the most like itself. Half of the final norm's weights
/// are therefore -1: a row times itself is then about 0. The row of `[SCORE]` is that of the prompt's
/// last token with those signs, and that of the end mark twice the prompt's last token: the answer is
/// `[SCORE]` and its end. A longer one has no such rows, since products of two rows are the same in
/// both directions.
private struct TiedPlanting {
  /// The prompt's last token, `[SCORE]` and the end.
  let sentence: [Int]
  let scores: Range<Int>
  let width: Int

  /// Of the final norm.
  static func sign(_ column: Int) -> Float { column.isMultiple(of: 2) ? 1 : -1 }

  /// Of the embeddings: logits then spread by about 1/2.
  static func spread(width: Int) -> Float { 0.5 / Float(width).squareRoot() }

  func embeddings(
    _ request: TensorRequest, _ noise: Noise, _ dtype: DType, _ compute: Compute
  ) -> TensorPlan {
    let (rows, width) = (request.shape[0], request.shape[1])
    let spread = Self.spread(width: width)
    return TensorPlan(name: request.name, dtype: dtype, shape: request.shape) {
      [sentence, scores] sink throws(CheckpointError) in
      // The planted rows are this one, with signs or doubled; its even and odd columns are equal.
      var first = noise.values(from: sentence[0] * width, count: width, compute)
      for column in stride(from: 1, to: width, by: 2) { first[column] = first[column - 1] }
      for row in 0..<rows {
        let values: [Float]
        switch sentence.firstIndex(of: row) {
        case 0: values = first.map { $0 * spread }
        case 1: values = first.enumerated().map { Self.sign($0) * $1 * spread }
        case 2: values = first.map { 2 * $0 * spread }
        default:
          let factor = scores.contains(row) ? 2 * spread : spread
          values = noise.values(from: row * width, count: width, compute).map { $0 * factor }
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
