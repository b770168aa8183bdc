import RocModel
import RocTensor
import RocTestSupport
import RocTrain
import Testing

/// A sample's way back leaves out what its way forward left out, in every layer.
struct DropoutTests {
  @Test(
    arguments: [false, true],
    [
      "layers.0.self_attn.q_proj", "layers.1.self_attn.q_proj", "layers.1.self_attn.v_proj",
      "layers.1.mlp.up_proj", "layers.0.mlp.down_proj",
    ])
  func theGradientIsThatOfTheLoss(recomputes: Bool, _ module: String) throws {
    let golden = try TrainingGolden("plain")
    let compute = try Compute(threads: 2)
    let dropout = Dropout(rate: 0.4)
    let plan = TrainingPlan(
      lowRank: LowRankPlan(
        rank: 4, alpha: 8, targets: LowRankPlan.languageTargets, dropout: dropout, seed: 3)
    ) { _ in false }
    let parts = try ModelLoader(
      folder: golden.checkpoint, compute: compute, training: plan
    ).load()
    let weights = LossWeights(l1: 1, ce: 1, emd: 1)
    let batch = TrainingBatch(
      parts: parts, loss: ScoreLoss(axis: try #require(parts.readout).axis, weights: weights),
      recomputes: recomputes, pictures: golden.pictures(parts), dropout: dropout)
    let samples = Array(try golden.samples(parts).prefix(1))
    func set(_ tensor: TrainedTensor, _ values: [Float]) {
      tensor.parameter.replace(with: values, compute)
      tensor.weights?.refresh(compute)
    }
    // B begins as zero, and then nothing would depend on A.
    for tensor in parts.trained where tensor.name.contains("lora_B") {
      set(
        tensor,
        Noise(seed: 8, name: tensor.name, deviation: 0.1)
          .values(from: 0, count: tensor.parameter.size, compute))
    }
    func loss() throws -> Double {
      let result = try batch.run(samples, key: 77)
      return result.parts.total(weights)
    }
    for half in ["lora_A", "lora_B"] {
      let tensor = try #require(
        parts.trained.first { $0.name.contains(module) && $0.name.contains(half) })
      let start = tensor.parameter.array(compute)
      for tensor in parts.trained { tensor.parameter.clearGradient() }
      _ = try loss()
      let gradient = try #require(tensor.parameter.gradientArray(compute))
      let direction = Noise(seed: 9, name: half, deviation: 1)
        .values(from: 0, count: start.count, compute)
      func moved(_ step: Float) throws -> Double {
        set(tensor, zip(start, direction).map { $0 + step * $1 })
        return try loss()
      }
      let step: Float = 0x1p-8
      let slope = (try moved(step) - moved(-step)) / Double(2 * step)
      set(tensor, start)
      let expected = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let size = zip(gradient, gradient).reduce(0) { $0 + Double($1.0) * Double($1.1) }.squareRoot()
      #expect(
        abs(slope - expected) <= 0.02 * size + 1e-4,
        "\(tensor.name): the slope is \(slope), the gradient says \(expected) of \(size)")
    }
  }
}
