import Foundation
import RocTestSupport
import Testing

/// The tutorial runs, and the messages that are explained are messages of the program.
struct DocumentTests {
  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(Fixture.repository)/docs/\(name)", encoding: .utf8)
  }

  @Test func theTutorialRuns() throws {
    let blocks = try text("tutorial.md").components(separatedBy: "```sh\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
    #expect(blocks.count >= 8)
    let folder = try TemporaryFolder()
    // The first block builds; here the tests' own build stands in its place.
    let script = "set -euo pipefail\n" + blocks.dropFirst().joined(separator: "\n")
    let path = try folder.write(script, to: "tutorial.sh")
    let (status, log) = try CommandRun.program(
      "/bin/bash", [path],
      environment: [
        "PATH": "\(try CommandRun.tools()):/usr/bin:/bin",
        "CHECKPOINT": "\(Fixture.repository)/Examples/demo-checkpoint",
        "ROC_DB": "tutorial.sqlite",
      ], folder: folder.path)
    #expect(status == 0, "\(log.suffix(3000))")
    #expect(log.contains("300 of these pictures are scored there already"))
    for name in [
      "train.json", "album.tex", "report/index.html", "table1.tex", "trained/config.json",
    ] {
      #expect(FileManager.default.fileExists(atPath: "\(folder.path)/\(name)"), "\(name)")
    }
  }

  @Test func explainedMessagesAreTheProgramsOwn() throws {
    var sources = ""
    let root = "\(Fixture.repository)/Sources"
    let files = try #require(FileManager.default.enumerator(atPath: root))
    for case let file as String in files where file.hasSuffix(".swift") {
      sources += try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
    }
    // Long messages are written over several lines.
    let lines = sources.replacing(/\\\n\s*/, with: "")
    let rows = try text("troubleshooting.md").split(separator: "\n").filter { $0.hasPrefix("| `") }
    #expect(rows.count >= 30)
    for row in rows {
      let cell = row.dropFirst(2).components(separatedBy: " | ")[0]
      for part in cell.components(separatedBy: "`") where part.contains(where: \.isLetter) {
        #expect(lines.contains(part), "\(part)")
      }
    }
  }
}
