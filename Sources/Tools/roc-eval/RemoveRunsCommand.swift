import ArgumentParser
import RocJSON
import RocStore
import RocTool

struct RemoveRunsCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove stored runs with their predictions.",
    discussion: """
      Says what would go; --yes removes it.

      Example:
        roc-eval remove 3 4 --yes
      Exit code 4 says that nothing was removed.
      """)

  @Argument(help: "Numbers of stored runs (roc-eval runs).")
  var runs: [Int64]

  @Flag(help: "Remove them.")
  var yes = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: !yes)
    var found: [(run: RunRecord, dataset: String, started: String, scored: Int, failed: Int)] = []
    let all = try store.runs()
    for number in runs {
      // The error lists the runs that exist.
      _ = try store.run(number)
      found += all.filter { $0.run.id == number && !found.contains { $0.run.id == number } }
    }
    if yes { try store.remove(runs: found.compactMap(\.run.id)) }
    if json {
      let list = found.map { entry -> JSON in
        [
          "run": .int(Int(entry.run.id ?? 0)), "dataset": .string(entry.dataset),
          "checkpoint": .string(entry.run.checkpoint), "n_scored": .int(entry.scored),
          "n_failed": .int(entry.failed),
        ]
      }
      let report: JSON = [
        "schema": "roc/removal/1", "removed": .bool(yes), "runs": .array(list),
      ]
      try Console.printData(report.pretty)
    } else {
      for entry in found {
        try Console.print(
          """
          run \(entry.run.id ?? 0): \(entry.scored + entry.failed) predictions of \
          \(entry.run.checkpoint) on \(entry.dataset), \(entry.started)\(yes ? ", removed" : "")
          """)
      }
    }
    guard !yes else { return .done }
    Console.note("nothing was removed; the same command with --yes removes them")
    return .checkFailed
  }
}
