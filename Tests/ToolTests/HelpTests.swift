import Foundation
import RocModel
import RocTestSupport
import Testing

/// Every command explains itself on one screen and is documented.
struct HelpTests {
  static let commands = [
    ["roc-data"], ["roc-data", "import"], ["roc-data", "add-split"], ["roc-data", "list"],
    ["roc-data", "stats"], ["roc-data", "verify-images"], ["roc-data", "validate"],
    ["roc-data", "export"], ["roc-data", "audit"], ["roc-data", "card"], ["roc-data", "rename"],
    ["roc-data", "remove"], ["roc-data", "demo"],
    ["roc-eval"],
    ["roc-eval", "run"], ["roc-eval", "score"],
    ["roc-eval", "metrics"], ["roc-eval", "compare"], ["roc-eval", "power"],
    ["roc-eval", "runs"], ["roc-eval", "table"], ["roc-eval", "report"],
    ["roc-eval", "remove"],
    ["roc-eval", "merge"], ["roc-eval", "slurm"],
    ["roc-model"], ["roc-model", "inspect"], ["roc-model", "init"],
    ["roc-model", "add-score-tokens"], ["roc-model", "convert"], ["roc-model", "bench"],
    ["roc-model", "verify"], ["roc-model", "doctor"], ["roc-train"],
  ]

  @Test(arguments: commands)
  func fitsAScreen(_ command: [String]) throws {
    let help = try CommandRun(command[0], Array(command.dropFirst()) + ["--help"])
    #expect(help.status == 0 && help.output.hasPrefix("OVERVIEW: "))
    let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 50, "\(lines.count) lines")
  }

  @Test(arguments: ["roc-data", "roc-eval", "roc-model"])
  func listsNoOtherCommands(_ tool: String) throws {
    let help = try CommandRun(tool, ["--help"]).output
    let start = try #require(help.firstRange(of: "SUBCOMMANDS:\n"))
    let names = help[start.upperBound...].split(separator: "\n")
      .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
      .filter { $0 != "See" }
    #expect(names == Self.commands.filter { $0[0] == tool && $0.count == 2 }.map { $0[1] })
  }

  /// The flags of the command that needs no name, on the page that everybody opens first.
  @Test func namesTheFlagsOfTheDefaultCommand() throws {
    let help = try CommandRun("roc-eval", ["--help"]).output
    let own = try CommandRun("roc-eval", ["run", "--help"]).output
    let flags = own.split { " \n".contains($0) }.filter { $0.hasPrefix("--") }
      .filter { !["--help", "--version"].contains($0) && !$0.contains(",") }
    #expect(flags.count > 20)
    for flag in flags { #expect(help.contains(flag), "\(flag)") }
    let bare = try CommandRun("roc-eval", [])
    #expect(bare.status == 0 && bare.output == help)
  }

  @Test(arguments: commands)
  func standsInTheReference(_ command: [String]) throws {
    let text = try String(
      contentsOfFile: "\(Fixture.repository)/docs/commands.md", encoding: .utf8)
    let help = try CommandRun(command[0], Array(command.dropFirst()) + ["--help"]).output
    #expect(text.contains(help), "run make docs after a change of the commands")
  }

  @Test(arguments: ["roc-data", "roc-eval", "roc-model", "roc-train"])
  func tellsItsVersion(_ tool: String) throws {
    #expect(try CommandRun(tool, ["--version"]).output == "roc \(Engine.version)\n")
  }
}
