import Foundation
import RocCheckpoint
import RocImage
import RocJSON
import RocModel
import RocScore
import RocTensor
import RocTestSupport
import Testing

/// Every stage against the reference tensors, so that a break is located where it happens.
struct GoldenTests {
  /// A checkpoint with goldens, and the kernels to use.
  struct Case: Sendable, CustomTestStringConvertible {
    let folder: String
    let kernels: String

    var testDescription: String {
      "\(folder.split(separator: "/").last ?? "") with \(kernels) kernels"
    }
  }

  static let sets: [String] = Compute.instructionSets.filter {
    (try? Compute(threads: 1, instructionSet: $0)) != nil
  }

  /// mPLUG-Owl2's.
  static let owl2Cases = Fixture.checkpoints.flatMap { name in
    sets.map { Case(folder: Fixture.path(name), kernels: $0) }
  }

  static let cases =
    owl2Cases
    + Fixture.backbones.flatMap { name in
      sets.map { Case(folder: Fixture.backbone(name), kernels: $0) }
    }

  /// Those whose stages are in the repository.
  static let stageCases = cases.filter {
    FileManager.default.fileExists(atPath: "\($0.folder)/tensors.safetensors")
  }

  /// The stages of original LLaVA, for which there is no room here.
  static let externalStages =
    (Fixture.external.map { ["\($0)/../backbones/llava-original-f16"] } ?? []).flatMap { path in
      sets.map { Case(folder: path, kernels: $0) }
    }

  static let externalCases = (Fixture.external.map { ["\($0)/small-f16"] } ?? []).flatMap { path in
    sets.map { Case(folder: path, kernels: $0) }
  }

  /// Tolerances of the reference: stages, logits, probabilities, share of the score range.
  static let stage: Float = 2e-4
  static let logit: Float = 5e-4
  static let probability = 1e-4
  static let score = 1e-4

  @Test(
    .enabled(if: Fixture.external != nil, "\(Fixture.externalReason)"), arguments: externalStages)
  func equalsTheReferenceOfOriginalLLaVAAtEveryStage(_ item: Case) throws { try checkStages(item) }

  @Test(arguments: stageCases)
  func equalsTheReferenceAtEveryStage(_ item: Case) throws { try checkStages(item) }

  @Test(arguments: cases)
  func answersEveryPictureAsTheReferenceDoes(_ item: Case) throws { try checkAnswers(item) }

  @Test(
    .enabled(if: Fixture.external != nil, "\(Fixture.externalReason)"), arguments: externalCases)
  func equalsTheReferenceForTheLargerModel(_ item: Case) throws {
    try checkStages(item)
    try checkAnswers(item)
  }

  @Test(.enabled(if: Fixture.external != nil, "\(Fixture.externalReason)"))
  func scoresCameraPictures() throws {
    let root = try #require(Fixture.external)
    let photos = try #require(try Fixture.json("\(root)/photos/photos.json")["photos"]?.array)
    for name in ["tiny-f32", "tiny-gqa-bf16", "small-f16"] {
      let engine = try Engine(folder: "\(root)/\(name)")
      try engine.score(
        paths: photos.map { "\(root)/photos/\($0["image"]?.string ?? "")" }
      ) { index, outcome in
        let expected = try #require(photos[index]["scores"]?[name]?.double)
        let found = try #require(outcome.answer?.score)
        #expect(abs(found - expected) <= 9 * Self.score, "\(name): \(photos[index].line)")
        return true
      }
    }
  }

  private func engine(_ item: Case) throws -> Engine {
    try Engine(folder: item.folder, threads: 2, instructionSet: item.kernels)
  }

  private func pixels(_ image: String, _ engine: Engine) throws -> Pixels {
    let path = Fixture.path("images/\(image)")
    return try engine.parts.preprocessing(try Picture.read(path), path: path)
  }

  private func checkStages(_ item: Case) throws {
    let engine = try engine(item)
    let golden = try SafetensorsFile(path: "\(item.folder)/tensors.safetensors")
    let first = try #require(try Fixture.json("\(item.folder)/golden.json")["prompts"]?.members)[0]
    let question = try #require(first.value["ask"]?.string?.split(separator: "\n").last)
    let images = try Fixture.json("images/images.json").members ?? []
    var compared = 0
    for image in images.map(\.name) {
      let stem = image.split(separator: ".")[0]
      let tensors = golden.tensors.filter { $0.name.hasPrefix("\(stem)/") }
      // Two pictures may share a stem; the reference traced the one with these pixels.
      guard tensors.count > 1 else { continue }
      let trace = Trace()
      _ = try engine.answer(
        try pixels(image, engine), AnswerRequest(question: String(question)), trace: trace)
      for tensor in tensors {
        let name = String(tensor.name.dropFirst(stem.count + 1))
        let found = try #require(trace.reference(name, tensor), "\(image) \(name)")
        let expected = tensor.widened
        expectNear(
          found, expected, Self.tolerance(name, expected, engine.parts), "\(image) \(name)")
        compared += 1
      }
    }
    #expect(compared == golden.tensors.count)
  }

  /// Values of Qwen2-VL's tower grow from layer to layer; what float32 sums differ by grows with
  /// them.
  private static func tolerance(_ name: String, _ values: [Float], _ parts: ModelParts) -> Float {
    if name == "pixel_values" { return 1e-6 }
    if name.hasPrefix("logits") { return logit }
    guard parts.names.connector == "merger", name == "projected" || name.hasPrefix("vision")
    else { return stage }
    return max(stage, 1e-5 * (values.map(abs).max() ?? 0))
  }

  /// What goes before a question in the goldens: each backbone's picture.
  private static let marks = ["<|image|>\n"]

  /// The ids of a prompt with one -200 for a picture, as the goldens of the backbones whose
  /// processors repeat its token do not have it.
  private static func collapsed(_ ids: [Int], _ parts: ModelParts) -> [Int] {
    guard case .token(let mark) = parts.template.spelling else { return ids }
    return ids.enumerated().compactMap { place, id in
      if id != mark { return id }
      return place > 0 && ids[place - 1] == mark ? nil : Engine.imageID
    }
  }

  private static func words(_ text: String) -> [Substring] { text.split(separator: " ") }

  private func checkAnswers(_ item: Case) throws {
    let engine = try engine(item)
    let golden = try Fixture.json("\(item.folder)/golden.json")
    let axis = try #require(golden["axis"]?.array).compactMap(\.double)
    let range = axis[axis.count - 1] - axis[0]
    #expect(engine.parts.readout?.axis.values.map(Double.init) == axis)
    for prompt in golden["prompts"]?.members ?? [] {
      let ask = try #require(prompt.value["ask"]?.string)
      // "Curious human" is LLaVA's prompt for inference; models are trained with the other one.
      guard prompt.name != "default-human" else { continue }
      let question = Self.marks.reduce(ask) {
        $0.hasPrefix($1) ? String($0.dropFirst($1.count)) : $0
      }
      #expect(engine.parts.template.prompt(question) == prompt.value["prompt"]?.string)
      if let ids = prompt.value["input_ids"]?.array?.compactMap(\.int) {
        #expect(engine.promptIDs(question) == Self.collapsed(ids, engine.parts))
      }
      let runs = (golden["runs"]?.array ?? []).filter { $0["ask"]?.string == prompt.name }
      #expect(runs.count == 31)
      for run in runs {
        let image = try #require(run["image"]?.string)
        let answer = try engine.answer(
          try pixels(image, engine), AnswerRequest(question: question))
        #expect(answer.outputIDs == run["output_ids"]?.array?.compactMap(\.int), "\(image)")
        #expect(answer.scoreSteps == run["score_steps"]?.array?.compactMap(\.int), "\(image)")
        let scores = run["scores"]?.array?.compactMap(\.double) ?? []
        #expect(answer.scores.count == scores.count)
        for (a, b) in zip(answer.scores, scores) {
          #expect(abs(a - b) <= Self.score * range, "\(image)")
        }
        let rows = (run["distributions"]?.array ?? []).map { $0.array?.compactMap(\.double) ?? [] }
        for (p, q) in zip(answer.distributions, rows) {
          #expect(p.count == q.count)
          #expect(zip(p, q).allSatisfy { abs($0 - $1) <= Self.probability }, "\(image)")
        }
        if let margin = run["rounding_margin"]?.double, margin > 0.3 {
          // Where the blank before `[SCORE]` is a token, the references have it twice.
          let isWhole = engine.parts.names.connector == "abstractor"
          let (found, expected) = (answer.text, try #require(run["text"]?.string))
          #expect(
            isWhole ? found == expected : Self.words(found) == Self.words(expected), "\(image)")
        }
      }
    }
  }
}
