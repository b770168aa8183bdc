import Foundation
import RocCheckpoint
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import Testing

@testable import RocTrain

/// Tables that embeddings and head share, as Qwen2-VL-2B's.
struct TiedTests {
  private let folder: TemporaryFolder
  private let compute: Compute

  init() throws {
    folder = try TemporaryFolder()
    compute = try Compute(threads: 2)
  }

  /// Qwen2-VL with the embeddings as its head, tied or written twice.
  private func checkpoint(tied: Bool) throws -> String {
    let source = try Checkpoint(folder: Fixture.backbone("qwen2vl-f32"))
    let embeddings = try #require(source["model.embed_tokens.weight"])
    var plans: [TensorPlan] = []
    for name in source.names {
      if name != "lm_head.weight" {
        plans.append(TensorPlan(copying: try #require(source[name])))
      } else if !tied {
        plans.append(TensorPlan(copying: embeddings.renamed(name)))
      }
    }
    let members = try source.json("config.json").members ?? []
    let config = JSON.object(
      members.map {
        $0.name == "tie_word_embeddings" ? JSON.Member($0.name, .bool(tied)) : $0
      })
    let path = "\(folder.path)/\(tied)"
    try CheckpointWriter(folder: path).write(
      CheckpointContents(
        weights: plans, texts: ["config.json": Array(config.line.utf8)], copies: source.otherFiles))
    return path
  }

  private func gradients(_ path: String, _ precision: Precision = .f32) throws -> [String: [Float]]
  {
    let golden = try TrainingGolden("qwen2vl")
    let parts = try ModelLoader(
      folder: path, compute: compute, precision: precision, training: TrainingPlan()
    ).load()
    let batch = TrainingBatch(
      parts: parts,
      loss: ScoreLoss(
        axis: try #require(parts.readout).axis, weights: LossWeights(l1: 1, ce: 1, emd: 1)),
      recomputes: false, pictures: golden.pictures(parts), slots: 1, isParallel: false)
    _ = try batch.run(try golden.samples(parts))
    var found: [String: [Float]] = [:]
    for tensor in parts.trained { found[tensor.name] = tensor.parameter.gradientArray(compute) }
    return found
  }

  /// The gradient of the one table is the sum of those of two equal ones.
  @Test func theTableHasTheGradientsOfBothUses() throws {
    let apart = try gradients(checkpoint(tied: false))
    let together = try gradients(checkpoint(tied: true))
    #expect(Set(apart.keys).subtracting(together.keys) == ["lm_head.weight"])
    for (name, found) in together {
      var expected = try #require(apart[name])
      if name == "model.embed_tokens.weight" {
        let head = try #require(apart["lm_head.weight"])
        expected = zip(expected, head).map { $0 + $1 }
      }
      let largest = expected.reduce(Float(0)) { max($0, abs($1)) }
      for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-5 * largest + 1e-8, "\(name)") }
    }
  }

  /// What is trained of a tied model is one table in its files, too.
  @Test func whatIsTrainedStaysTied() throws {
    let path = try checkpoint(tied: true)
    let output = "\(folder.path)/out"
    let golden = try TrainingGolden("qwen2vl")
    let run = try CommandRun(
      "roc-train",
      [
        "--model-name-or-path", path, "--data-path", "\(golden.folder)/varied.samples.json",
        "--image-folder", "\(golden.folder)/images", "--output-dir", output,
        "--max-steps", "2", "--per-device-train-batch-size", "4", "--learning-rate", "2e-3",
        "--l1-weight", "1", "--ce-weight", "1", "--emd-weight", "1",
      ])
    #expect(run.status == 0, "\(run.errors)")
    let made = try Checkpoint(folder: output)
    #expect(made["lm_head.weight"] == nil)
    #expect(try made.json("config.json")["tie_word_embeddings"] == true)
    let (old, new) = (
      try #require(Checkpoint(folder: path)["model.embed_tokens.weight"]).widened,
      try #require(made["model.embed_tokens.weight"]).widened
    )
    #expect(old != new)
    // Rows of tokens that no text has move as well: they are logits.
    #expect(zip(old, new).suffix(64).contains { $0 != $1 })
    #expect(try ModelLoader(folder: output, compute: compute).unexpected.isEmpty)
  }

  /// A tied model is loaded, scored and counted as one table.
  @Test func scoresWithTheEmbeddings() throws {
    let tied = try ModelLoader(folder: checkpoint(tied: true), compute: compute)
    let apart = try ModelLoader(folder: checkpoint(tied: false), compute: compute)
    #expect(tied.unexpected.isEmpty && apart.unexpected.isEmpty)
    #expect(tied.sizes.isTied && !apart.sizes.isTied)
    let pixels = try TrainingGolden("qwen2vl").pictures(try tied.load()).pixels("000.png")
    let answers = try [tied, apart].map { try Engine($0, compute: compute).answer(pixels) }
    #expect(answers[0] == answers[1])
  }
}
