import Foundation
import RocImage
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import RocTokenizer
import Testing

/// Q-Align's scoring on the reference checkpoints.
struct LevelTests {
  @Test(arguments: GoldenTests.owl2Cases)
  func equalsTheReference(_ item: GoldenTests.Case) throws {
    let engine = try Engine(folder: item.folder, instructionSet: item.kernels)
    let records = try #require(
      try Fixture.json("\(item.folder)/golden.json")["level_words"]?.array)
    #expect(records.count >= 18)
    for record in records {
      let path = Fixture.path("images/\(record["image"]?.string ?? "")")
      let pixels = try engine.parts.preprocessing(try Picture.read(path), path: path)
      let task = try #require(record["task"]?.string.flatMap(LevelScoring.Task.init(rawValue:)))
      let prompt: LevelScoring.Prompt = record["swapped"]?.bool == true ? .packaged : .scorer
      for (scale, name) in [(LevelScoring.Scale.oneToFive, "score_1_5"), (.zeroToOne, "score_0_1")]
      {
        let answer = try engine.answer(
          pixels, levels: LevelScoring(task: task, prompt: prompt, scale: scale))
        let expected = try #require(record[name]?.double)
        #expect(abs((answer.score ?? -1) - expected) <= 4e-4, "\(record.line)")
        let levels = try #require(answer.levels)
        for (a, b) in zip(levels, record["probs"]?.array?.compactMap(\.double) ?? []) {
          #expect(abs(a - b) <= 1e-4)
        }
        #expect(answer.distributions == [levels.reversed()])
        #expect(answer.text.hasPrefix("The "))
      }
    }
  }

  /// Other backbones ask in their own words, and continue them by a word as their tokenizers spell it.
  @Test(arguments: Fixture.backbones)
  func otherBackbonesContinueTheirOwnPrompt(_ name: String) throws {
    let engine = try Engine(folder: Fixture.backbone(name))
    let path = Fixture.path("images/photo_640x427.jpg")
    let pixels = try engine.parts.preprocessing(try Picture.read(path), path: path)
    let levels = LevelScoring()
    // A word and its blank are one piece in Qwen2's tokenizer; LLaMA's puts the blank there itself.
    let separator = name == "qwen2vl-f32" ? " " : ""
    let answer = try engine.answer(pixels, levels: levels)
    let trace = Trace()
    _ = try engine.answer(
      pixels,
      AnswerRequest(
        question: levels.question, opening: (separator.isEmpty ? " " : "") + levels.opening,
        maxTokens: 1), trace: trace)
    let logits = try #require(trace.values["logits.prompt"])
    let tokenizer = engine.parts.tokenizer
    let ids = try LevelScoring.words.map {
      try #require(tokenizer.encodeWithoutBegin(separator + $0).first)
    }
    let weights = ids.map { exp(Double(logits[$0])) }
    for (found, weight) in zip(try #require(answer.levels), weights) {
      #expect(abs(found - weight / weights.reduce(0, +)) < 1e-4)
    }
    #expect(answer.text.hasPrefix("The aesthetics of the image is "))
  }

  @Test func scoresAModelWithoutScoreTokens() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "copy")
    let roc = ["score_id", "img_token_num", "num_tokens", "min_score", "max_score"]
    let config = try Fixture.json("\(copy)/config.json").members ?? []
    try JSON.object(config.filter { !roc.contains($0.name) }).pretty.write(
      toFile: "\(copy)/config.json", atomically: true, encoding: .utf8)
    let engine = try Engine(folder: copy)
    #expect(engine.parts.readout == nil)
    let error = #expect(throws: ModelError.self) {
      try engine.check(.scoreTokens(question: Engine.defaultQuestion))
    }
    #expect(error?.description.contains("score with --scoring levels") == true)
    let path = Fixture.path("images/rgb_64x64.png")
    var scores: [Double?] = []
    try engine.score(paths: [path], mode: .levels(LevelScoring())) { _, outcome in
      scores.append(outcome.answer?.score)
      return true
    }
    let original = try Engine(folder: Fixture.path("tiny-f32"))
    let pixels = try original.parts.preprocessing(try Picture.read(path), path: path)
    #expect(scores == [try original.answer(pixels, levels: LevelScoring()).score])
  }
}
