import Foundation
import RocCheckpoint
import RocImage
import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import Testing

struct EngineTests {
  private func pixels(_ image: String, _ engine: Engine) throws -> Pixels {
    let path = Fixture.path("images/\(image)")
    return try engine.parts.preprocessing(try Picture.read(path), path: path)
  }

  @Test func continuesAGivenOpeningAndStopsEarly() throws {
    let engine = try Engine(folder: Fixture.path("tiny-f32"))
    let cases = try #require(try Fixture.json("tiny-f32/golden_prompts.json").array)
    #expect(cases.count == 12)
    for item in cases {
      let image = try #require(item["image"]?.string)
      let answer = try engine.answer(
        try pixels(image, engine),
        AnswerRequest(
          opening: item["prefix"]?.string ?? "", maxTokens: item["max_new_tokens"]?.int ?? 512))
      #expect(answer.outputIDs == item["output_ids"]?.array?.compactMap(\.int))
      let scores = item["scores"]?.array?.compactMap(\.double) ?? []
      #expect(answer.scores.count == scores.count)
      for (a, b) in zip(answer.scores, scores) { #expect(abs(a - b) <= 9e-4) }
      if scores.isEmpty || (item["rounding_margin"]?.double ?? 0) > 0.3 {
        #expect(answer.text == item["text"]?.string)
      }
    }
  }

  @Test func namesFailedPicturesAndGoesOn() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("not a picture", to: "text.jpg")
    let good = Fixture.path("images/rgb_64x64.png")
    let engine = try Engine(folder: Fixture.path("tiny-f32"))
    var codes: [String?] = []
    try engine.score(paths: [text, good, "\(folder.path)/none.png", good]) { _, outcome in
      codes.append(outcome.failure?.code)
      #expect((outcome.answer == nil) == (outcome.failure != nil))
      return true
    }
    #expect(codes == ["not_a_picture", nil, "missing", nil])
  }

  @Test func callsAnAnswerWithoutScoreAFailure() throws {
    // Without its row of the head, [SCORE] is never the likeliest token.
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tiny-f32", as: "mute")
    let path = URL(fileURLWithPath: "\(copy)/model.safetensors")
    var data = try Data(contentsOf: path)
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSON.parse(String(decoding: data[8..<8 + length], as: UTF8.self))
    let start = try #require(header["lm_head.weight"]?["data_offsets"]?.array?[0].int)
    let row = 8 + length + start + 600 * 64 * 4
    data.replaceSubrange(row..<row + 64 * 4, with: Data(count: 64 * 4))
    try data.write(to: path)
    let engine = try Engine(folder: copy)
    var outcomes: [ScoredPicture] = []
    try engine.score(paths: [Fixture.path("images/rgb_64x64.png")]) { _, outcome in
      outcomes.append(outcome)
      return true
    }
    let outcome = try #require(outcomes.first)
    #expect(outcome.failure?.code == "no_score")
    #expect(outcome.answer?.scores == [])
    // What it said instead is kept.
    #expect(outcome.answer?.text.hasPrefix("The aesthetic rate of the image is") == true)
    #expect(outcome.failure?.message.contains("the answer holds no [SCORE]: The aesthetic") == true)
  }

  @Test func refusesQuestionsThatCannotBeAsked() throws {
    let engine = try Engine(folder: Fixture.path("tiny-f32"))
    let mark = #expect(throws: ModelError.self) {
      _ = try engine.answer(
        try pixels("rgb_64x64.png", engine), AnswerRequest(question: "What is <|image|>?"))
    }
    #expect(
      mark?.description
        == "the question must not contain <|image|>; the picture stands before it")
    // As characters, the mark with an accent is another; as bytes it is the mark.
    let hidden = #expect(throws: ModelError.self) {
      _ = try engine.answer(
        try pixels("rgb_64x64.png", engine), AnswerRequest(question: "What is <|image|>\u{301}?"))
    }
    #expect(hidden?.description == mark?.description)
    let long = #expect(throws: ModelError.self) {
      _ = try engine.answer(
        try pixels("rgb_64x64.png", engine),
        AnswerRequest(question: String(repeating: "word ", count: 3000)))
    }
    #expect(long?.description.contains("shorten the question") == true)
  }

  @Test(arguments: [
    (4.81471967, 4, "4.8147"), (5.0, 4, "5.0"), (4.39899, 4, "4.399"), (0.00004, 4, "0.0"),
    (2.675, 2, "2.67"), (2.5, 0, "2.0"), (-1.25, 1, "-1.2"), (1e-7, 8, "1e-07"),
  ])
  func roundsAsPythonDoes(_ value: Double, _ decimals: Int, _ text: String) {
    #expect(rounded(value, decimals: decimals) == text)
  }
}
