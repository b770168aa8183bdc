import Foundation
import RocTestSupport
import Testing

/// What cannot be printed is not taken for printed.
struct OutputGoneTests {
  @Test(arguments: ["roc-data", "roc-eval", "roc-train", "roc-model"])
  func tellsWhenHelpDoesNotArrive(_ command: String) throws {
    let tool = "\(try CommandRun.tools())/\(command)"
    for arguments in ["--help", "--version"] {
      let full = try CommandRun.program(
        "/bin/sh", ["-c", "\"$0\" \(arguments) > /dev/full", tool], folder: "/")
      #expect(full.status == 1 && full.text.contains("No space left on device"), "\(full.text)")
      // Whoever reads only a little is served, and nothing is said.
      let closed = try CommandRun.program(
        "/bin/bash", ["-c", "\"$0\" \(arguments) | true; exit ${PIPESTATUS[0]}", tool], folder: "/")
      #expect(closed.status == 0 && closed.text.isEmpty, "\(closed.text)")
      let whole = try CommandRun(command, [arguments])
      #expect(whole.status == 0 && whole.errors.isEmpty && !whole.output.isEmpty)
    }
    let wrong = try CommandRun(command, ["--no-such-flag"])
    #expect(wrong.status == 64 && wrong.output.isEmpty && wrong.errors.contains("Usage: "))
  }

  @Test func quotesLittleOfADescription() throws {
    let folder = try TemporaryFolder()
    try folder.write("columns: [\(String(repeating: "x", count: 5000))\nrows: }", to: "t.yaml")
    let run = try CommandRun(
      "roc-eval", ["table", "t.yaml", "--db", "\(folder.path)/none.sqlite"], folder: folder.path)
    #expect(run.status != 0)
    #expect(run.errors.split(separator: "\n").allSatisfy { $0.count < 400 }, "\(run.errors)")
  }
}
