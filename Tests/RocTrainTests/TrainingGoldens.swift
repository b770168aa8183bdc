import RocCheckpoint
import RocImage
import RocJSON
import RocModel
import RocScore
import RocTensor
import RocTestSupport
import Testing

@testable import RocTrain

/// The samples and expected values of one file of training goldens.
struct TrainingGolden {
  /// mPLUG-Owl2's, and those of the other backbones.
  static let names = ["plain", "varied", "multi/multi"] + backbones
  static let backbones = ["llava-hf", "llava-original", "qwen2vl"]

  let json: JSON
  let folder: String
  let checkpoint: String

  init(_ name: String) throws {
    if Self.backbones.contains(name) {
      folder = Fixture.backbone("training")
      json = try Fixture.json("\(folder)/\(name).golden.json")
      checkpoint = "\(folder)/\(try #require(json["checkpoint"]?.string))"
    } else {
      folder = Fixture.path("training/" + (name.contains("/") ? "multi" : ""))
      json = try Fixture.json("training/\(name).golden.json")
      checkpoint = Fixture.path(try #require(json["checkpoint"]?.string))
    }
  }

  /// The batch as the model takes it.
  func samples(_ parts: ModelParts) throws -> [EncodedSample] {
    let file = "\(folder)/\(try #require(json["samples"]?.string))"
    let tokens = try #require(parts.readout?.tokens)
    return try #require(try Fixture.json(file).array).enumerated().map { i, record in
      let record = try TrainingRecord(record, number: i + 1, tokens: tokens)
      let text = TrainingText(
        turns: record.turns, hasPicture: true, template: parts.template, tokenizer: parts.tokenizer,
        maxLength: 2048)
      return EncodedSample(record, text: text, tokens: tokens)
    }
  }

  func pictures(_ parts: ModelParts) -> PictureStore {
    PictureStore(preprocessing: parts.preprocessing, capacity: 1 << 24) { [folder] in
      "\(folder)/images/\($0)"
    }
  }

  static func model(
    _ checkpoint: String, compute: Compute, slots: Int = 1, freezesVision: Bool = false
  ) throws -> ModelParts {
    // The reference's frozen vision includes Qwen2-VL's merger, whose names begin alike.
    let vision = ["model.vision_model.", "vision_tower.", "model.vision_tower.", "visual."]
    return try ModelLoader(
      folder: checkpoint, compute: compute,
      training: TrainingPlan(slots: slots) { name in
        !freezesVision || !vision.contains { name.hasPrefix($0) }
      }
    ).load()
  }
}

struct GradientGoldenTests {
  /// How a batch is run.
  struct Way: Sendable {
    var recomputes = false
    var slots = 1
  }

  @Test(arguments: TrainingGolden.names, [Way(), Way(recomputes: true), Way(slots: 2)])
  func equalsTheReference(_ name: String, _ way: Way) throws {
    let golden = try TrainingGolden(name)
    let compute = try Compute(threads: way.slots > 1 ? 1 : 2)
    let parts = try TrainingGolden.model(
      golden.checkpoint, compute: compute, slots: way.slots)
    let samples = try golden.samples(parts)
    let axis = try #require(parts.readout).axis
    for combo in try #require(golden.json["combos"]?.array) {
      func number(_ name: String) throws -> Double { try #require(combo[name]?.double) }
      let weights = LossWeights(
        l1: try number("l1_weight"), ce: try number("ce_weight"), emd: try number("emd_weight"))
      let loss = ScoreLoss(axis: axis, weights: weights)
      let batch = TrainingBatch(
        parts: parts, loss: loss, recomputes: way.recomputes, pictures: golden.pictures(parts),
        slots: way.slots, isParallel: way.slots > 1)
      let result = try batch.run(samples)
      let total = try number("loss")
      #expect(abs(result.parts.total(weights) - total) <= 1e-4 * total)
      for (part, found) in [
        ("text", result.parts.text), ("l1", result.parts.l1), ("ce", result.parts.ce),
        ("emd", result.parts.emd),
      ] {
        let expected = try #require(combo["parts"]?[part]?.double)
        #expect(abs(try #require(found) - expected) <= 1e-4 * expected, "\(part)")
      }
      let predicted = try #require(combo["predicted"]?.array).compactMap(\.double)
      #expect(predicted.count == result.scores.count)
      for (found, expected) in zip(result.scores, predicted) {
        #expect(abs(found - expected) <= 1e-4 * (axis.high - axis.low))
      }
      // The reference lists what the file holds; a tower's layers behind the one that is read have no
      // gradient.
      let norms = try #require(combo["grad_norms"]?.members)
        .filter { !TrainingGolden.backbones.contains(name) || $0.value.double != 0 }
      #expect(Set(norms.map(\.name)) == Set(parts.trained.map(\.name)))
      for tensor in parts.trained {
        tensor.parameter.gatherGradient(compute)
        let expected = try #require(combo["grad_norms"]?[tensor.name]?.double)
        let found = compute.squaredGradient(tensor.parameter).squareRoot()
        #expect(abs(found - expected) <= 1e-3 * expected + 1e-6, "\(tensor.name)")
      }
      if name == "plain", weights == LossWeights(l1: 1, ce: 1, emd: 1) {
        try compareAll(parts.trained, compute)
      }
      for tensor in parts.trained { tensor.parameter.clearGradient() }
    }
  }

  /// Every gradient of LLaVA-1.5 and Qwen2-VL, for which there is no room here.
  @Test(
    .enabled(if: Fixture.external != nil, "\(Fixture.externalReason)"),
    arguments: ["llava-hf", "qwen2vl"])
  func equalsEveryGradientOfTheReference(_ name: String) throws {
    let root = try #require(Fixture.external)
    let golden = try TrainingGolden(name)
    let compute = try Compute(threads: 2)
    let parts = try TrainingGolden.model(golden.checkpoint, compute: compute)
    let batch = TrainingBatch(
      parts: parts,
      loss: ScoreLoss(
        axis: try #require(parts.readout).axis, weights: LossWeights(l1: 1, ce: 1, emd: 1)),
      recomputes: false, pictures: golden.pictures(parts), slots: 1, isParallel: false)
    _ = try batch.run(try golden.samples(parts))
    try compareAll(
      parts.trained, compute, "\(root)/../backbones/training/\(name).grads.safetensors")
  }

  private func compareAll(
    _ trained: [TrainedTensor], _ compute: Compute,
    _ path: String = Fixture.path("training/plain.grads.safetensors")
  ) throws {
    let file = try SafetensorsFile(path: path)
    for tensor in trained {
      let expected = try #require(file.tensors.first { $0.name == tensor.name }).widened
      let found = try #require(tensor.parameter.gradientArray(compute))
      #expect(found.count == expected.count)
      let largest = expected.reduce(Float(0)) { Swift.max($0, abs($1)) }
      let difference = zip(found, expected).reduce(Float(0)) {
        Swift.max($0, ($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1))
      }
      #expect(difference <= 1e-4 * largest + 1e-7, "\(tensor.name)")
    }
  }
}

struct SlotTests {
  /// The bits of a batch's gradients do not depend on whether its parts run at the same time.
  @Test func giveTheSameBitsOneAfterAnother() throws {
    let golden = try TrainingGolden("varied")
    var found: [[[UInt32]]] = []
    for isParallel in [false, true, true] {
      let compute = try Compute(threads: 1)
      let parts = try TrainingGolden.model(golden.checkpoint, compute: compute, slots: 2)
      let loss = ScoreLoss(
        axis: try #require(parts.readout).axis, weights: LossWeights(l1: 1, ce: 1, emd: 1))
      let batch = TrainingBatch(
        parts: parts, loss: loss, recomputes: false, pictures: golden.pictures(parts), slots: 2,
        isParallel: isParallel)
      _ = try batch.run(try golden.samples(parts))
      found.append(
        try parts.trained.map { tensor in
          tensor.parameter.gatherGradient(compute)
          return try #require(tensor.parameter.gradientArray(compute)).map(\.bitPattern)
        })
    }
    #expect(found[0] == found[1] && found[0] == found[2])
  }
}

struct CurveGoldenTests {
  @Test(arguments: TrainingGolden.names)
  func followsTheReferenceForTenSteps(_ name: String) throws {
    let golden = try TrainingGolden(name)
    let compute = try Compute(threads: 2)
    let runs = try #require(golden.json["runs"]?.array)
    #expect(runs.count == (TrainingGolden.backbones.contains(name) ? 4 : 5))
    for run in runs {
      func number(_ name: String) throws -> Double { try #require(run[name]?.double) }
      let what = "\(name) \(run["name"]?.string ?? "")"
      let parts = try TrainingGolden.model(
        golden.checkpoint, compute: compute, freezesVision: run["freeze_vision"]?.bool == true)
      let samples = try golden.samples(parts)
      var settings = TrainingSettings()
      settings.weights = LossWeights(l1: 1, ce: 1, emd: 1)
      settings.learningRate = try number("lr")
      settings.weightDecay = try number("weight_decay")
      settings.warmupRatio = try number("warmup_ratio")
      settings.schedule = try #require(Schedule.Kind(rawValue: run["schedule"]?.string ?? ""))
      settings.largestNorm = run["max_grad_norm"]?.double
      settings.batchSize = samples.count
      settings.steps = 10
      let readout = try #require(parts.readout)
      let trainer = Trainer(
        parts: parts, readout: readout, samples: samples,
        sampler: Sampler(
          count: samples.count, order: .given(Array(samples.indices)), batchSize: samples.count,
          accumulation: 1),
        pictures: golden.pictures(parts), settings: settings, compute: compute)
      let history = try #require(run["history"]?.array)
      #expect(history.count == 10)
      for expected in history {
        let report = try trainer.update()
        #expect(report.step == expected["step"]?.int)
        func compare(_ found: Double?, _ field: String, _ relative: Double) throws {
          let wanted = try #require(expected[field]?.double)
          #expect(
            abs(try #require(found) - wanted) <= relative * abs(wanted) + 1e-6,
            "\(what), step \(report.step): \(field)")
        }
        try compare(report.loss, "loss", 1e-3)
        try compare(report.parts.text, "text", 1e-3)
        try compare(report.parts.l1, "l1", 1e-3)
        try compare(report.parts.ce, "ce", 1e-3)
        try compare(report.parts.emd, "emd", 1e-3)
        try compare(report.learningRate, "lr", 1e-9)
        try compare(report.gradientNorm, "grad_norm", 1e-3)
      }
      let predicted = try trainer.predict(samples).flatMap { $0 }
      let wanted = try #require(run["final_predicted"]?.array).compactMap(\.double)
      #expect(predicted.count == wanted.count)
      for (found, expected) in zip(predicted, wanted) {
        #expect(abs(found - expected) <= 5e-3, "\(what)")
      }
    }
  }
}
