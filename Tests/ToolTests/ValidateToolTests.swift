import Foundation
import RocJSON
import RocTestSupport
import Testing

/// `roc-data validate`: what `--num-tokens` promises, what is said of all, and exit codes.
struct ValidateToolTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func validate(_ arguments: String...) throws -> CommandRun {
    try CommandRun("roc-data", ["validate"] + arguments)
  }

  private static func record(_ image: String, target: String? = "[0.5, 0.5]") -> String {
    """
    {"image": "\(image)", "gt_score": 1.5, "conversations": [{"from": "human", "value": \
    "<|image|>Rate."}, {"from": "gpt", "value": "It is [SCORE]. "}]\
    \(target.map { ", \"target\": \($0)" } ?? "")}
    """
  }

  @Test func numTokensMeansTrainingRecordsWithTargets() throws {
    let bare = try folder.write(
      "[{\"image\": \"a.png\", \"gt_score\": 4.2}, {\"image\": \"b.png\", \"gt_score\": 2}]",
      to: "bare.json")
    let refused = try validate(bare, "--num-tokens", "2")
    #expect(refused.status == 4)
    #expect(refused.output.contains("error: records 1, 2: conversations: is missing\n"))
    #expect(refused.output.contains("error: records 1, 2: target: is missing; CE and EMD"))
    #expect(refused.output.contains("read as ROC4MLLM training records: 2 records, 4 errors"))
    // Without it the same file is what it looks like, and the summary says so.
    let test = try validate(bare)
    #expect(test.status == 0)
    #expect(test.output.contains("read as Q-Align test records: 2 records, 0 errors"))

    let mixed = try folder.write(
      "[\(Self.record("a.png")), \(Self.record("b.png", target: nil)), "
        + "\(Self.record("c.png", target: "null"))]", to: "mixed.json")
    let lacking = try validate(mixed, "--num-tokens", "2", "--json")
    let found = try JSON.parse(lacking.output)
    #expect(lacking.status == 4)
    #expect(found["errors"]?.array?.compactMap { $0["record"]?.int } == [2, 3])
    #expect(found["read_as"]?.string == "ROC4MLLM training records")
    #expect(try validate(mixed, "--num-tokens", "2", "--allow-missing-target").status == 0)
    #expect(try validate(mixed).status == 0)
    #expect(try validate(mixed, "--allow-missing-target").status == 64)
    #expect(try validate(mixed, "--num-tokens", "2", "--format", "qalign").status == 64)
  }

  @Test func trainingSaysTheSameOfAMissingTarget() throws {
    let file = try folder.write("[\(Self.record("rgb_64x64.png", target: nil))]", to: "t.json")
    let run = try CommandRun(
      "roc-train",
      [
        "--model-name-or-path", Fixture.path("tiny-f32"), "--data-path", file, "--image-folder",
        Fixture.path("images"), "--output-dir", "\(folder.path)/out", "--ce-weight", "1",
      ])
    #expect(run.status == 4)
    #expect(run.errors.contains("error: record 1: target: is missing; CE and EMD compare it with"))
  }

  @Test func oneErrorOfManyRecordsIsSaidOnce() throws {
    let records = (1...1500).map { Self.record("\($0).png", target: nil) }
    let file = try folder.write(records.joined(separator: "\n"), to: "many.jsonl")
    let run = try validate(file, "--num-tokens", "2")
    #expect(run.output.split(separator: "\n").count == 3)
    #expect(run.output.contains("error: records 1, 2, 3, 4, 5 and 1495 more: target: is missing"))
    #expect(run.output.contains("1500 records, 1500 errors"))
  }

  @Test func theExitCodeStaysTrueWhenTheReaderLeaves() throws {
    // Each record has an error of its own, so that there is more than a pipe holds.
    let records = (1...40_000).map { "{\"image\": \"\($0)\\\\x.png\"}" }
    let file = try folder.write(records.joined(separator: "\n"), to: "many.jsonl")
    let process = try CommandRun.process("roc-data", ["validate", file, "--json"])
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    _ = try pipe.fileHandleForReading.read(upToCount: 10)
    try pipe.fileHandleForReading.close()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 4)
  }

  /// Q-Align's records of scores 0 to 11 whose levels rise or fall with them.
  private func levels(rising: Bool) throws -> String {
    let words = ["bad", "poor", "fair", "good", "excellent"]
    let records = (0..<12).map { score in
      let place = min(score / 2, 4)
      return """
        {"id": "\(score).png->\(score)", "image": "\(score).png", "conversations": [{"from": \
        "human", "value": "Rate it.\\n<|image|>"}, {"from": "gpt", "value": "The quality of the \
        image is \(words[rising ? place : 4 - place])."}], "gt_score": \(score)}
        """
    }
    return try folder.write("[\(records.joined(separator: ",\n"))]", to: "levels-\(rising).json")
  }

  /// One rule: the better a picture, the higher its level; low scores are better where that is said.
  @Test(arguments: [(true, false), (false, true), (true, true), (false, false)])
  func levelsFollowTheDirection(_ rising: Bool, _ lowerIsBetter: Bool) throws {
    let file = try levels(rising: rising)
    let flag = lowerIsBetter ? ["--lower-is-better"] : []
    let found = try CommandRun("roc-data", ["validate", file] + flag)
    let isRight = rising != lowerIsBetter
    #expect(found.status == (isRight ? 0 : 4), "\(found.output)")
    guard !isRight else { return }
    // Who has said it is not told to say it.
    #expect(found.output.contains("say --lower-is-better") == !lowerIsBetter)
    let mended = "\(folder.path)/mended.json"
    let fix = try CommandRun(
      "roc-data", ["validate", file, "--fix", "--output", mended] + flag)
    #expect(fix.status == 0, "\(fix.output)")
    #expect(try CommandRun("roc-data", ["validate", mended] + flag).status == 0)
  }

  @Test func turnsOfChatProgramsAreRenamed() throws {
    let file = try folder.write(
      """
      [{"image": "a.png", "gt_score": 1.5, "conversations": [{"role": "user", "content": \
      "<|image|>Rate."}, {"role": "assistant", "content": "It is [SCORE]. "}], "target": [0.5, 0.5]}]
      """, to: "chat.json")
    let found = try validate(file, "--num-tokens", "2")
    #expect(found.status == 4)
    #expect(found.output.contains("has role and content, expected from"))
    let mended = "\(folder.path)/mended.json"
    #expect(try validate(file, "--num-tokens", "2", "--fix", "--output", mended).status == 0)
    #expect(try validate(mended, "--num-tokens", "2").status == 0)
  }
}
