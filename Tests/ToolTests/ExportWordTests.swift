import Foundation
import RocData
import RocJSON
import RocScore
import RocTestSupport
import Testing

/// Questions and answers say what the scores are.
struct ExportWordTests {
  private let folder: TemporaryFolder
  private let db: String

  init() throws {
    folder = try TemporaryFolder()
    db = "\(folder.path)/t.sqlite"
    let rows = (0..<4).map { "complementary/a_b/\($0).jpg,\($0).5,\($0 + 2),0.5" }
    for name in ["1train.csv", "1test.csv"] {
      let own = rows.map { $0.replacingOccurrences(of: "a_b", with: name.prefix(2)) }
      try folder.write(
        "ID,color,MOS,probability\n" + own.joined(separator: "\n") + "\n", to: "icaa/\(name)")
    }
    let run = try CommandRun(
      "roc-data", ["import", "icaa17k", "--source", "\(folder.path)/icaa", "--db", db])
    #expect(run.status == 0, "\(run.errors)")
  }

  private func export(_ arguments: String...) throws -> CommandRun {
    try CommandRun("roc-data", ["export", "icaa17k", "--split", "test", "--db", db] + arguments)
  }

  private func turns(_ run: CommandRun) throws -> [String] {
    let first = try #require(try JSON.parse(run.output).array?.first)
    return (first["conversations"]?.array ?? []).compactMap { $0["value"]?.string }
  }

  @Test func theMainScoreIsCalledAsTheManifestSays() throws {
    #expect(
      try turns(export()) == [
        "<|image|>Please rate the color of the image.", "The color rate of the image is [SCORE]. ",
      ])
    #expect(
      try turns(export("--attribute", "MOS")) == [
        "<|image|>Rate the color and aesthetics of the image.",
        "The color rate of the image is [SCORE], the aesthetic rate of the image is [SCORE]. ",
      ])
    #expect(
      try turns(export("--word", "beauty", "--attribute", "MOS=appeal")) == [
        "<|image|>Rate the beauty and appeal of the image.",
        "The beauty rate of the image is [SCORE], the appeal rate of the image is [SCORE]. ",
      ])
  }

  @Test(arguments: [
    ["--attribute", "MOS=color"], ["--attribute", "MOS=Color"],
    ["--word", "aesthetic", "--attribute", "MOS"],
    ["--word", "aesthetics", "--attribute", "MOS=Aesthetic"],
  ])
  func collidingWordsAreRefused(_ arguments: [String]) throws {
    let run = try CommandRun(
      "roc-data", ["export", "icaa17k", "--split", "test", "--db", db] + arguments)
    #expect(run.status == 64)
    #expect(run.errors.contains("MOS and gt_score would both be called"), "\(run.errors)")
    #expect(run.output.isEmpty)
  }

  @Test(arguments: [
    ["--attribute", "MOS="], ["--word", " "], ["--word", "a [SCORE]"], ["--word", "a\nb"],
    ["--attribute", "MOS", "--attribute", "MOS=other"],
  ])
  func wordsThatCannotBeSaidAreRefused(_ arguments: [String]) throws {
    let run = try CommandRun(
      "roc-data", ["export", "icaa17k", "--split", "test", "--db", db] + arguments)
    #expect(run.status == 64)
  }

  @Test func aQuestionThatSpeaksOfSomethingElseIsNamed() throws {
    #expect(try export("--question", "How nice is it?").errors.contains("does not speak of color"))
    #expect(try !export("--question", "Rate its color.").errors.contains("does not speak"))
    #expect(
      try !export("--question", "How nice is it?", "--word", "nice").errors.contains("does not"))
  }

  /// Every manifest's words can be told apart: an export of all attributes with a scale never asks
  /// about one thing twice.
  @Test(arguments: Manifest.bundledTexts.keys.sorted())
  func manifestsHaveOneWordAScore(_ name: String) throws {
    let manifest = try Manifest.bundled(name)
    let main = ScoreWord(manifest.score.word ?? "aesthetics")
    for table in manifest.tables ?? [] {
      var known = [main]
      for attribute in table.attributes ?? [] where manifest.range(of: attribute) != nil {
        let word = ConversationExport.Attribute(
          name: attribute, word: manifest.attributeWords?[attribute],
          range: ScoreRange(low: 0, high: 1)
        ).word
        if attribute == "*" { continue }
        #expect(!known.contains { $0.collides(with: word) }, "\(attribute)")
        #expect(!word.question.contains { "_0123456789".contains($0) }, "\(word.question)")
        known.append(word)
      }
    }
    let attributes = Set((manifest.tables ?? []).flatMap { $0.attributes ?? [] })
    for attribute in manifest.attributeWords?.keys.sorted() ?? [] {
      #expect(attributes.contains(attribute), "\(attribute) is no attribute of \(name)")
    }
  }
}
