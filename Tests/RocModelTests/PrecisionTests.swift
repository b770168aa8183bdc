import RocImage
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import Testing

/// What each precision costs, and that a score's bits depend on nothing but the picture.
struct PrecisionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let kernels: String
    let precision: Precision

    var testDescription: String { "\(precision) with \(kernels) kernels" }
  }

  static let cases = GoldenTests.sets.flatMap { set in
    Precision.allCases.map { Case(kernels: set, precision: $0) }
  }
  static let images = ["rgb_64x64.png", "photo_640x427.jpg", "gray_88x99.jpg"]

  private func pixels(_ image: String, _ engine: Engine) throws -> Pixels {
    let path = Fixture.path("images/\(image)")
    return try engine.parts.preprocessing(try Picture.read(path), path: path)
  }

  /// Threads, neighbours and pictures read ahead; drafts that are right, wrong, partly right,
  /// too long or absent; the stored head of the prompt or the prompt in one piece.
  @Test(
    arguments: cases,
    ["tiny-gqa-bf16", "tiny-comment-f16"].map(Fixture.path)
      + Fixture.backbones.map(Fixture.backbone))
  func givesTheSameBitsInAnyCompany(_ item: Case, _ folder: String) throws {
    let paths = Self.images.map { Fixture.path("images/\($0)") }
    var answers: [[Answer?]] = []
    for threads in [1, 2] {
      let engine = try Engine(
        folder: folder, threads: threads, instructionSet: item.kernels,
        precision: item.precision)
      for ahead in [1, 2, 16] {
        for order in [[0, 1, 2], [2, 0, 1], [1, 1, 0, 2]] {
          var found = [Answer?](repeating: nil, count: 3)
          try engine.score(paths: order.map { paths[$0] }, ahead: ahead) { index, outcome in
            if let before = found[order[index]] { #expect(before == outcome.answer) }
            found[order[index]] = outcome.answer
            return true
          }
          answers.append(found)
        }
      }
      let plain = try Self.images.map {
        try engine.answer(try pixels($0, engine), AnswerRequest(draft: []))
      }
      answers.append(plain)
      answers.append(
        try Self.images.map { try engine.answer(try pixels($0, engine), trace: Trace()) })
      let ids = plain[0].outputIDs
      for draft in [
        ids, ids + ids, Array(ids.prefix(3)), [5, 5, 5], Array(ids.prefix(4)) + [7, 8, 9],
        [ids[0], 9] + ids.dropFirst(2),
      ] {
        answers.append(
          try Self.images.map {
            try engine.answer(try pixels($0, engine), AnswerRequest(draft: draft))
          })
      }
    }
    #expect(answers[0].allSatisfy { $0?.score != nil })
    #expect(answers.allSatisfy { $0 == answers[0] })
  }

  /// The largest difference from float32, and the rank correlation with it.
  @Test(arguments: GoldenTests.sets, [(Precision.bf16, 0.002, 0.9995), (.int8, 0.006, 0.999)])
  func staysCloseToFloat32(_ set: String, _ limit: (Precision, Double, Double)) throws {
    try checkCloseness(Fixture.path("tiny-f32"), set, limit)
  }

  @Test(
    arguments: Fixture.backbones, [(Precision.bf16, 0.002, 0.9995), (.int8, 0.006, 0.999)])
  func otherBackbonesStayCloseToFloat32(
    _ name: String, _ limit: (Precision, Double, Double)
  ) throws {
    for set in [GoldenTests.sets[0], "portable"] {
      try checkCloseness(Fixture.backbone(name), set, limit)
    }
  }

  private func checkCloseness(
    _ folder: String, _ set: String, _ limit: (Precision, Double, Double)
  ) throws {
    let (precision, largest, least) = limit
    let images = try Fixture.json("images/images.json").members ?? []
    let paths = images.map { Fixture.path("images/\($0.name)") }
    func scores(_ precision: Precision) throws -> [Double] {
      let engine = try Engine(folder: folder, instructionSet: set, precision: precision)
      var scores: [Double] = []
      try engine.score(paths: paths) { _, outcome in
        scores.append(try #require(outcome.answer?.score))
        return true
      }
      return scores
    }
    let exact = try scores(.f32)
    let found = try scores(precision)
    #expect(exact != found)
    for (path, pair) in zip(paths, zip(found, exact)) {
      #expect(abs(pair.0 - pair.1) <= 9 * largest, "\(path)")
    }
    #expect(correlation(ranks(found), ranks(exact)) >= least)
  }

  /// On CPUs that multiply bf16, vision attends in it; here with every set, which must not cost
  /// more than the precision may.
  @Test(arguments: GoldenTests.sets, [Precision.bf16, .int8])
  func staysCloseToFloat32WithAttentionInBF16(_ set: String, _ precision: Precision) throws {
    let images = try Fixture.json("images/images.json").members ?? []
    let paths = images.map { Fixture.path("images/\($0.name)") }
    func scores(_ precision: Precision, attendsInBF16: Bool) throws -> [Double] {
      let compute = try Compute(threads: 2, instructionSet: set, attendsInBF16: attendsInBF16)
      let loader = try ModelLoader(
        folder: Fixture.path("tiny-f32"), compute: compute, precision: precision)
      let engine = try Engine(loader, compute: compute)
      var scores: [Double] = []
      try engine.score(paths: paths) { _, outcome in
        scores.append(try #require(outcome.answer?.score))
        return true
      }
      return scores
    }
    let exact = try scores(.f32, attendsInBF16: false)
    #expect(try scores(.f32, attendsInBF16: true) == exact)
    let found = try scores(precision, attendsInBF16: true)
    #expect(try scores(precision, attendsInBF16: false) != found)
    let limit = precision == .bf16 ? 0.002 : 0.006
    for (path, pair) in zip(paths, zip(found, exact)) {
      #expect(abs(pair.0 - pair.1) <= 9 * limit, "\(path)")
    }
  }

  private func ranks(_ values: [Double]) -> [Double] {
    let sorted = values.sorted()
    return values.map { value in
      let first = sorted.firstIndex(of: value) ?? 0
      let count = sorted.filter { $0 == value }.count
      return Double(first) + Double(count - 1) / 2
    }
  }

  private func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let (meanA, meanB) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
    let products = zip(a, b).reduce(0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) }
    let squaresA = a.reduce(0) { $0 + ($1 - meanA) * ($1 - meanA) }
    let squaresB = b.reduce(0) { $0 + ($1 - meanB) * ($1 - meanB) }
    return products / (squaresA * squaresB).squareRoot()
  }

  @Test func choosesBF16OnlyWhereTheCPUHasIt() throws {
    let compute = try Compute(threads: 1)
    let loader = try ModelLoader(
      folder: Fixture.path("tiny-f32"), compute: compute, precision: nil)
    #expect(loader.precision == (compute.hasBF16 ? .bf16 : .f32))
    let small = try ModelLoader(
      folder: Fixture.path("tiny-f32"), compute: compute, precision: .int8)
    #expect(small.kept.contains("lm_head.weight"))
    #expect(!small.kept.contains("model.layers.0.mlp.down_proj.weight"))
  }

  /// The mission's outliers: residual channels hundreds of times the rest, as the first token of
  /// LLaMA has them, planted into the embedding of `<s>` and the weights before down_proj.
  @Test(arguments: GoldenTests.sets)
  func survivesOutliersInEightBits(_ set: String) throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    try SafetensorsFixture("\(copy)/model.safetensors") { name, values in
      switch name {
      case "model.embed_tokens.weight":
        // Row 1 is <s>: two channels carry nearly everything.
        values[64 + 7] = 60
        values[64 + 40] = -45
      case "model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight":
        for i in 0..<64 { values[100 * 64 + i] *= 200 }
      case "model.layers.0.mlp.down_proj.weight", "model.layers.1.mlp.down_proj.weight":
        // What reads the large channel is as much smaller, so that the model stays itself.
        for row in 0..<64 { values[row * 176 + 100] /= 200 }
      default: break
      }
    }
    let paths = Self.images.map { Fixture.path("images/\($0)") }
    var scores: [Precision: [Double]] = [:]
    for precision in [Precision.f32, .int8] {
      let engine = try Engine(folder: copy, instructionSet: set, precision: precision)
      try engine.score(paths: paths) { _, outcome in
        scores[precision, default: []].append(try #require(outcome.answer?.score))
        return true
      }
    }
    for (a, b) in zip(scores[.f32] ?? [], scores[.int8] ?? []) {
      #expect(abs(a - b) <= 9 * 0.006, "f32 \(a), int8 \(b)")
    }
  }
}
