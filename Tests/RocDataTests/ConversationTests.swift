import Foundation
import RocData
import RocJSON
import RocScore
import RocStore
import RocTestSupport
import Testing

struct ConversationTests {
  private func lint(
    _ text: String, tokens: Int? = 3, range: ScoreRange? = ScoreRange(low: 1, high: 3)
  ) -> ConversationLint {
    var lint = ConversationLint(tokens: tokens, range: range)
    Array(text.utf8).withUnsafeBytes { lint.check(file: $0) }
    return lint
  }

  /// A good record with some members replaced; nil removes one.
  private func record(_ changes: [(String, JSON?)] = []) -> String {
    let good: [(String, JSON)] = [
      ("image", "a.jpg"), ("gt_score", 2.25), ("target", [0.25, 0.25, 0.5]),
      (
        "conversations",
        [
          ["from": "human", "value": "<|image|>Please rate the aesthetics of the image."],
          ["from": "gpt", "value": "The aesthetic rate of the image is [SCORE]. "],
        ]
      ),
    ]
    let members = good.compactMap { name, value -> JSON.Member? in
      guard let change = changes.first(where: { $0.0 == name }) else { return .init(name, value) }
      return change.1.map { JSON.Member(name, $0) }
    }
    return JSON.object(members).line
  }

  private func turns(_ texts: String...) -> JSON {
    .array(
      texts.enumerated().map {
        ["from": .string($0.offset % 2 == 0 ? "human" : "gpt"), "value": .string($0.element)]
      })
  }

  @Test func acceptsGoodRecords() {
    let text = "[\(record()), \(record([("target", nil)]))]"
    let found = lint(text)
    #expect(found.records == 2 && found.errors.isEmpty && found.warnings.isEmpty)
    #expect(lint("\(record())\n\(record())\n").records == 2)
    let several = record([
      ("gt_score", [2.0, 3.0]), ("target", [0, 1, 0, 0, 0, 1]),
      ("conversations", turns("Rate.<|image|>", "It is [SCORE] and [SCORE].", "Why?", "So.")),
    ])
    #expect(lint(several).errors.isEmpty && lint(several).warnings.isEmpty)
  }

  @Test(arguments: [
    "training/plain.samples.json", "training/varied.samples.json",
    "training/multi/multi.samples.json",
  ])
  func acceptsTheTrainingSamples(_ name: String) throws {
    let text = try String(contentsOfFile: Fixture.path(name), encoding: .utf8)
    let found = lint(text, tokens: 10, range: ScoreRange(low: 1, high: 10))
    #expect(found.errors.isEmpty && found.records == 4)
    // Their targets are discretised, so the expected score is near gt_score, not equal to it.
    #expect(!found.warnings.isEmpty)
  }

  @Test func namesRecordAndFieldOfEveryError() {
    let cases: [([(String, JSON?)], String, String)] = [
      ([("image", nil)], "image", "is missing"),
      ([("image", 3)], "image", "is 3, expected a file name"),
      ([("image", "a\\b.jpg")], "image", "a\\b.jpg has a backslash; write folders with /"),
      ([("gt_score", nil)], "gt_score", "is missing"),
      ([("gt_score", "2.5 ")], "gt_score", "is \"2.5 \", expected a number or a list of numbers"),
      ([("gt_score", 3.5)], "gt_score", "3.5 is outside 1.0 to 3.0"),
      ([("target", [0.5, 0.5])], "target", "2 values, expected 3 (num_tokens)"),
      ([("target", [0.5, 0.25, 0.5])], "target", "sums to 1.25, expected 1"),
      (
        [("target", [-0.5, 0.5, 1])], "target",
        "holds -0.5, expected finite numbers of 0 or more"
      ),
      ([("target", [0.5, "x", 0.5])], "target", "holds \"x\", expected numbers"),
      ([("target", "x")], "target", "is a string, expected a list of numbers"),
      ([("conversations", nil)], "conversations", "is missing"),
      (
        [("conversations", [])], "conversations",
        "is an array without turns, expected a list of turns"
      ),
      (
        [("conversations", turns("Rate.", "It is [SCORE]."))], "conversations",
        "0 <|image|> marks, expected exactly 1 for the picture"
      ),
      (
        [("conversations", turns("<|image|><|image|>Rate.", "It is [SCORE]."))], "conversations",
        "2 <|image|> marks, expected exactly 1 for the picture"
      ),
      (
        [("conversations", turns("<|image|>Rate.", "It is good."))], "conversations",
        "0 [SCORE] in the answers for 1 scores in gt_score"
      ),
      (
        [("conversations", turns("<|image|>Rate [SCORE].", "[SCORE]"))], "conversations[0].value",
        "a question holds [SCORE]"
      ),
      (
        [("conversations", turns("<|image|>Rate.", "[SCORE]</s>"))], "conversations[1].value",
        "holds \"</s>\", which separates turns in the prompt template"
      ),
      (
        [("conversations", turns("<|image|>Rate.", "[SCORE] [IMG3]"))], "conversations[1].value",
        "holds [IMG3], which only the model may emit"
      ),
      (
        [("conversations", turns("<|image|>Rate.", "[SCORE]", "Why?"))], "conversations",
        "the last question has no answer"
      ),
      (
        [("conversations", turns("<|image|>Rate.", "[SCORE]", " ", "x"))],
        "conversations[2].value", "is empty"
      ),
      (
        [("conversations", [["from": "gpt", "value": "[SCORE]"]])], "conversations[0].from",
        "is \"gpt\", expected \"human\""
      ),
    ]
    for (changes, field, message) in cases {
      let found = lint("[\(record()), \(record(changes))]")
      #expect(found.errors == [Finding(record: 2, field: field, message: message)])
    }
  }

  @Test func namesNumbersThatAreNone() {
    let text = record().replacingOccurrences(of: "2.25", with: "NaN")
    #expect(lint(text).errors.first?.field == "gt_score")
    let target = record().replacingOccurrences(of: "[0.25,", with: "[Infinity,")
    #expect(lint(target).errors.first?.message == "holds inf, expected finite numbers of 0 or more")
  }

  @Test func stopsAtTextThatIsNoJSON() {
    let found = lint("\(record())\n{\"image\": oops}")
    #expect(found.errors.count == 1 && found.errors[0].record == 2)
    #expect(found.errors[0].message.hasPrefix("not JSON: line 2, column 11"))
    let later = lint("\(record())\n{\"image\": oops}\n\(record([("image", nil)]))\n\(record())")
    #expect(later.errors.map(\.record) == [2, 3] && later.records == 4)
    let twice = lint("{\"image\": \"b.jpg\", " + record().dropFirst())
    #expect(twice.errors.map(\.field) == ["image"])
    #expect(lint("").errors.first?.message == "the file holds no records")
    #expect(lint("[3]").errors.first?.message == "is a number, expected an object")
  }

  @Test func warnsWhereTargetAndScoreDisagree() {
    let found = lint(record([("gt_score", 2.5)]))
    #expect(found.errors.isEmpty)
    #expect(
      found.warnings == [
        Finding(
          record: 1, field: "target", message: "its expected score is 2.25, gt_score is 2.5")
      ])
    #expect(lint(record([("gt_score", 2.5)]), range: nil).warnings.isEmpty)
  }

  @Test func takesTheLengthOfTheFirstTarget() {
    let longer = record([("target", [0.25, 0.25, 0.25, 0.25])])
    let found = lint("[\(record()), \(longer)]", tokens: nil)
    #expect(found.errors.map(\.record) == [2])
  }

  @Test func writesTheFormOfTheContract() throws {
    let source = try MadeUpAVA()
    let store = try Store(path: source.database, creates: true)
    _ = try AVAImporter(try Manifest.bundled("ava"), source: source.path)
      .run(into: store, images: nil, replace: false)
    let dataset = try store.dataset("ava")
    let samples = try store.samples(dataset, split: "test").samples
    let export = ConversationExport(dataset: dataset, questions: ["One?", "Two \"quoted\"?"])
    let records = try #require(
      try JSON.parse(String(decoding: export.array(samples), as: UTF8.self)).array)
    #expect(
      records[0].line == """
        {"image": "12.jpg", "gt_score": 6.0, "conversations": [{"from": "human", "value": \
        "<|image|>One?"}, {"from": "gpt", "value": "The aesthetic rate of the image is [SCORE]. \
        "}], "target": [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0]}
        """)
    #expect(
      records[1]["conversations"]?.array?[0]["value"]?.string == "<|image|>Two \"quoted\"?")
    let found = lint(
      JSON.array(records).line, tokens: 10, range: ScoreRange(low: 1, high: 10))
    #expect(found.errors.isEmpty && found.warnings.isEmpty)
    #expect(
      String(decoding: TableExport.csv(samples, bins: 10), as: UTF8.self)
        == """
        image,gt_score,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10
        12.jpg,6.0,0,0,2,0,0,0,0,0,2,0
        14.jpg,5.0,0,0,4,0,0,0,0,0,2,0

        """)
  }
}
