import RocJSON
import RocModel
import RocTestSupport
import RocTrain
import Testing

struct TrainingRecordTests {
  private static let turns: JSON = [
    ["from": "human", "value": "<|image|>Rate it."], ["from": "gpt", "value": "[SCORE]"],
  ]

  @Test func readsOneScore() throws {
    let record = try TrainingRecord(
      [
        "id": 7, "image": "a/b.jpg", "gt_score": 5, "conversations": Self.turns,
        "target": [0.25, 0.75],
      ], number: 3, tokens: 2)
    #expect(record.number == 3)
    #expect(record.id == "7")
    #expect(record.image == "a/b.jpg")
    #expect(record.turns == [Turn(.human, "<|image|>Rate it."), Turn(.gpt, "[SCORE]")])
    #expect(record.scores == [5])
    #expect(record.target == [0.25, 0.75])
  }

  @Test func readsSeveralScores() throws {
    for target: JSON in [[1, 0, 0.5, 0.5], [[1, 0], [0.5, 0.5]]] {
      let record = try TrainingRecord(
        ["gt_score": [1, 2.5], "conversations": Self.turns, "target": target], number: 1)
      #expect(record.scores == [1, 2.5])
      #expect(record.target == [1, 0, 0.5, 0.5])
      #expect(record.image == nil)
    }
  }

  @Test func readsConversationsWithoutScores() throws {
    let record = try TrainingRecord(
      [
        "image": .null, "target": .null, "gt_score": .null,
        "conversations": [
          ["from": "gpt", "value": "Hello."], ["from": "human", "value": "Why?"],
          ["from": "gpt", "value": ""],
        ],
      ], number: 1)
    #expect(record.image == nil)
    #expect(record.scores == [])
    #expect(record.target == nil)
    #expect(record.turns.count == 3)
  }

  /// A field that cannot be used, in a record that is otherwise whole, and what is said about it.
  static let faults: [(String, JSON, String)] = [
    ("id", 1.5, "id: is 1.5, expected a text or an integer"),
    ("image", "", "image: is \"\", expected a file name"),
    ("image", ["a.jpg"], "image: is [\"a.jpg\"], expected a file name"),
    ("conversations", .null, "conversations: is missing"),
    ("conversations", "Rate it.", "conversations: is a string, expected a list of turns"),
    ("conversations", [], "conversations: has no question"),
    ("conversations", [["from": "gpt", "value": "x"]], "conversations: has no question"),
    ("conversations", [3], "conversations[0].from: is missing, expected human or gpt"),
    (
      "conversations", [["from": "user", "value": "x"]],
      "conversations[0].from: is \"user\", expected human or gpt"
    ),
    (
      "conversations", [["from": "human", "value": 1]],
      "conversations[0].value: is missing or no text"
    ),
    (
      "conversations", [["from": "human", "value": "x"], ["from": "human", "value": "y"]],
      "conversations[1].from: is human like the turn before it"
    ),
    ("gt_score", "high", "gt_score: holds \"high\", expected a number or a list of numbers"),
    ("gt_score", .double(.nan), "gt_score: holds nan, expected finite numbers"),
    ("target", 1, "target: is a number, expected a list of numbers"),
    ("target", [0.5, "0.5"], "target: holds \"0.5\", expected numbers"),
    ("target", [.double(.infinity), 0], "target: holds inf, expected finite numbers"),
    ("target", [1], "target: 1 values, expected 2 (num_tokens)"),
    ("target", [], "target: 0 values, expected 2 (num_tokens)"),
    ("gt_score", [], "target: stands without gt_score"),
    ("gt_score", [1, 2], "target: 2 values, expected 4 (2 scores x num_tokens)"),
  ]

  @Test(arguments: faults)
  func namesRecordAndField(_ field: String, _ value: JSON, _ message: String) {
    let whole: JSON = [
      "id": "7", "image": "a.jpg", "gt_score": 5, "conversations": Self.turns, "target": [0, 1],
    ]
    let members = (whole.members ?? []).map { $0.name == field ? .init(field, value) : $0 }
    let error = #expect(throws: TrainingRecordError.self) {
      try TrainingRecord(.object(members), number: 12, tokens: 2)
    }
    #expect(error?.description == "record 12: \(message)")
  }

  @Test func refusesWhatIsNoRecord() {
    let error = #expect(throws: TrainingRecordError.self) {
      try TrainingRecord([1, 2], number: 2)
    }
    #expect(error?.description == "record 2: record: is an array, expected an object")
    let odd = #expect(throws: TrainingRecordError.self) {
      try TrainingRecord(
        ["gt_score": [1, 2], "conversations": Self.turns, "target": [1, 0, 0]], number: 2)
    }
    #expect(
      odd?.description
        == "record 2: target: 3 values, expected a multiple of 2 (2 scores x num_tokens)")
  }
}
