import Foundation
import Roc
import RocTestSupport
import Testing

struct AssessmentTests {
  private let folder = Fixture.path("tiny-f32")
  private let pictures = [
    Fixture.path("images/baseline420_113x77.jpg"), "/nowhere/none.jpg",
  ]

  /// The code of the README, word for word: a change of either fails here.
  private func readme(folder: String, pictures: [String]) throws -> [Assessment.Answer] {
    // README
    let assessment = try Assessment(checkpoint: folder)
    let answers = try assessment(pictures, decimals: 4)
    for answer in answers {
      print(answer.score ?? "no score", answer.text, answer.error?.message ?? "")
    }
    // END
    return answers
  }

  @Test func doesWhatTheReadmeShows() throws {
    let answers = try readme(folder: folder, pictures: pictures)
    #expect(answers.count == 2)
    #expect(abs((answers[0].score ?? 0) - 4.8147196769714355) < 9e-4)
    // A CPU that multiplies bf16 by itself takes it, and the last digits are others.
    let sentence = #/The aesthetic rate of the image is (4\.[0-9]{4}) \. /#
    let printed = answers[0].text.wholeMatch(of: sentence)
    #expect(abs((Double(printed?.1 ?? "") ?? 0) - (answers[0].score ?? 0)) < 6e-5)
    #expect(answers[0].distributions[0].count == 10)
    #expect(answers[0].error == nil)
    #expect(answers[1].score == nil)
    #expect(answers[1].error?.code == "missing")
    #expect(answers[1].error?.description == "/nowhere/none.jpg: No such file or directory")
  }

  @Test func readmeHoldsTheSameCode() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let start = try #require(source.firstRange(of: "    // README\n"))
    let end = try #require(source.firstRange(of: "    // END\n"))
    let code = source[start.upperBound..<end.lowerBound].split(separator: "\n")
      .map { $0.dropFirst(4) }.joined(separator: "\n")
    let readme = try String(
      contentsOfFile: "\(Fixture.repository)/README.md", encoding: .utf8)
    #expect(readme.contains("import Roc\n\n\(code)\n```"))
  }

  @Test func namesWhatIsWrongWithACheckpoint() {
    let error = #expect(throws: Assessment.Unusable.self) {
      try Assessment(checkpoint: "/nowhere/none")
    }
    #expect(error?.description == "/nowhere/none: there is no such checkpoint folder")
  }

  @Test func refusesAQuestionWithAMark() throws {
    let assessment = try Assessment(checkpoint: folder, threads: 1)
    #expect(throws: Assessment.Unusable.self) {
      _ = try assessment([pictures[0]], question: "<|image|>")
    }
  }
}
