import RocData
import RocJSON
import RocScore
import Testing

/// The defects of Q-Align's published files, on made-up records.
struct RepairTests {
  private let question = "Can you rate the quality of this picture?\n<|image|>"

  private func record(_ name: String, _ score: JSON?, _ answer: String, question: String? = nil)
    -> JSON
  {
    .object(
      [JSON.Member("id", .string("\(name)->\(score?.double ?? 3)")), .init("image", .string(name))]
        + (score.map { [.init("gt_score", $0)] } ?? [])
        + [
          .init(
            "conversations",
            [
              ["from": "human", "value": .string(question ?? self.question)],
              ["from": "gpt", "value": .string("The quality of the image is \(answer).")],
            ])
        ])
  }

  private func lint(_ records: [JSON]) -> LevelLint {
    var lint = LevelLint(isDeQA: false, range: nil)
    for record in records { lint.check(record) }
    return lint
  }

  private func mended(_ records: [JSON]) -> [JSON] {
    var repair = RecordRepair(.qalign, learningFrom: records)
    return records.map { repair.mend($0) }
  }

  private var good: [JSON] {
    (0..<20).map { i in
      record("p\(i).jpg", .double(Double(i)), ["bad", "poor", "fair", "good", "excellent"][i / 4])
    }
  }

  @Test func acceptsGoodRecords() {
    #expect(lint(good).errors.isEmpty && lint(good).warnings.isEmpty)
    #expect(mended(good) == good)
  }

  @Test func findsAndMendsTwoQuestionsInOne() {
    let two = record(
      "x.jpg", 3, "poor", question: "How would you?\n<|image|>How do you?\n<|image|>")
    #expect(lint([two]).errors.map(\.message) == ["2 <|image|> marks, expected 1"])
    let after = mended([two])
    #expect(lint(after).errors.isEmpty)
    #expect(after[0]["conversations"]?.array?[0]["value"] == "How would you?\n<|image|>")
  }

  @Test func takesALevelFromRecordsWithThatScore() {
    let odd = good + [record("x.jpg", 9.2, "moderate")]
    #expect(lint(odd).errors.count == 1 && lint(odd).errors[0].record == 21)
    #expect(
      mended(odd)[20]["conversations"]?.array?[1]["value"] == "The quality of the image is fair.")
  }

  @Test func findsLevelsThatRunAgainstTheScores() {
    let reversed = good.enumerated().map { i, _ in
      record(
        "p\(i).jpg", .double(Double(19 - i)), ["bad", "poor", "fair", "good", "excellent"][i / 4])
    }
    #expect(
      lintFile(reversed).contains { $0.message.contains("the levels run against the scores") })
    let after = mended(reversed)
    #expect(
      after[0]["conversations"]?.array?[1]["value"] == "The quality of the image is excellent.")
    #expect(!lintFile(after).contains { $0.message.contains("run against") })
  }

  private func lintFile(_ records: [JSON]) -> [Finding] {
    var lint = LevelLint(isDeQA: false, range: nil)
    Array(JSON.array(records).line.utf8).withUnsafeBytes { lint.check(file: $0) }
    return lint.errors
  }

  @Test func mendsNamesNumbersAndMissingScores() {
    let records: [JSON] = [
      ["img_path": "a\\b.bmp", "gt_score": "2.65 "], record("c.jpg", nil, "fair"),
    ]
    #expect(lint(records).errors.count == 2)
    let after = mended(records)
    #expect(after[0] == ["image": "a/b.bmp", "gt_score": 2.65])
    #expect(after[1]["gt_score"] == 3.0)
    #expect(lint(after).errors.isEmpty && lint(after).warnings.isEmpty)
  }

  @Test func warnsOfRecordsBackToBackAndRepeatedPictures() {
    var lint = LevelLint(isDeQA: false, range: ScoreRange(low: 0, high: 1))
    let text = #"{"image": "a", "gt_score": 1}{"image": "a", "gt_score": 2}{"image": 3}"#
    Array(text.utf8).withUnsafeBytes { lint.check(file: $0) }
    #expect(lint.records == 3)
    #expect(lint.errors.map(\.field) == ["gt_score", "image", "gt_score"])
    #expect(lint.warnings.map(\.field) == ["image", "file"])
  }

  @Test func dividesATargetThatWasPrintedWithFewDecimals() {
    let record: JSON = ["image": "a", "gt_score": "2", "target": [0.333, 0.333, 0.333]]
    var repair = RecordRepair(.roc, learningFrom: [record])
    let after = repair.mend(record)
    let sum = after["target"]?.array?.compactMap(\.double).reduce(0, +) ?? 0
    #expect(abs(sum - 1) < 1e-12 && after["gt_score"] == 2.0 && repair.changes.count == 2)
    let wrong: JSON = ["image": "a", "gt_score": 2, "target": [0.5, 0.1]]
    #expect(repair.mend(wrong) == wrong)
  }

  /// Marks that a combining mark follows are marks all the same.
  @Test func marksBeforeCombiningMarksAreNoTrap() {
    let text = "Rate it.<|image|>\u{301} How good?<|image|>\u{301}"
    let record = record("a.jpg", 1, "The quality is bad.", question: text)
    let turns = mended([record])[0]["conversations"]?.array
    #expect(turns?.first?["value"]?.string?.utf8.elementsEqual("Rate it.<|image|>".utf8) == true)
    // Two forms of a name are two members.
    let two: JSON = ["\u{e9}": 1, "e\u{301}": 1, "x": 1, "x": 1]
    var repair = RecordRepair(.roc, learningFrom: [])
    #expect(repair.mend(two).members?.count == 3)
  }
}
