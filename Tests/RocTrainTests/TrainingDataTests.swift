import RocData
import RocModel
import RocTensor
import RocTestSupport
import Testing

@testable import RocTrain

struct TrainingDataTests {
  /// Swift's strings with accents of one code or of two are equal; their tokens are not.
  @Test func tokenizesEachTextByItsBytes() throws {
    func record(_ answer: String) -> String {
      """
      {"image": "a.jpg", "gt_score": 5, "conversations": [{"from": "human", "value": \
      "<|image|>Rate it."}, {"from": "gpt", "value": "\(answer) [SCORE]"}]}
      """
    }
    let texts = ["caf\u{e9}", "cafe\u{301}", "caf\u{e9}"]
    let bytes = Array("[\(texts.map(record).joined(separator: ","))]".utf8)
    let compute = try Engine.compute(threads: 1, instructionSet: nil)
    let model = try ModelLoader(folder: Fixture.path("tiny-f32"), compute: compute)
    let rules = TrainingData.Rules(
      model: model, readout: try #require(model.readout),
      weights: LossWeights(l1: 1, ce: 0, emd: 0),
      maxLength: 2048)
    let data = try bytes.withUnsafeBytes {
      try TrainingData($0, from: "records", rules: rules, pictures: nil)
    }
    #expect(data.samples.count == 3)
    #expect(data.samples[0].text == data.samples[2].text)
    #expect(data.samples[0].text != data.samples[1].text)
  }

  @Test func namesErrorsThatRecordsShareOnce() {
    let error = TrainingDataError(
      source: "x",
      findings: [
        Finding(record: 1, field: "target", message: "is missing"),
        Finding(record: 2, field: "image", message: "is missing"),
        Finding(record: 3, field: "target", message: "is missing"),
      ], records: 3)
    #expect(FindingGroup.of(error.findings).map(\.field) == ["target", "image"])
    #expect(FindingGroup.of(error.findings).map(\.records) == [[1, 3], [2]])
  }
}
