import Foundation
import RocModel
import RocTestSupport
import Testing

/// The server explains itself as the other commands do.
struct ServerHelpTests {
  @Test func fitsAScreenAndStandsInTheReference() throws {
    let help = try CommandRun("roc-serve", ["--help"])
    #expect(help.status == 0 && help.output.hasPrefix("OVERVIEW: "))
    #expect(help.output.split(separator: "\n", omittingEmptySubsequences: false).count <= 60)
    let text = try String(
      contentsOfFile: "\(Fixture.repository)/docs/commands.md", encoding: .utf8)
    #expect(text.contains(help.output), "run make docs after a change of the commands")
    #expect(try CommandRun("roc-serve", ["--version"]).output == "roc \(Engine.version)\n")
  }
}
