import ArgumentParser
import RocJSON
import RocNames
import RocStore
import RocTool

struct RunsCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List the stored runs: which checkpoint scored what, and how.")

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let runs = try database.open(readOnly: true).runs()
    if json {
      let list = runs.map { entry -> JSON in
        [
          "run": .int(Int(entry.run.id ?? 0)),
          "dataset": .string(entry.dataset),
          "checkpoint": [
            "path": .string(entry.run.checkpoint), "sha256": .string(entry.run.checkpointSHA256),
          ],
          "question": .string(entry.run.question),
          "precision": .string(entry.run.precision),
          "engine": .string(entry.run.engine),
          "started": .string(entry.started),
          "n_scored": .int(entry.scored),
          "n_failed": .int(entry.failed),
        ]
      }
      let object: JSON = ["schema": "roc/list/1", "runs": .array(list)]
      try Console.printData(object.pretty)
      return .done
    }
    var rows = [["run", "dataset", "checkpoint", "sha256", "scored", "failed", "started"]]
    for entry in runs {
      rows.append([
        "\(entry.run.id ?? 0)", entry.dataset, entry.run.checkpoint,
        String(entry.run.checkpointSHA256.prefix(12)), "\(entry.scored)", "\(entry.failed)",
        entry.started,
      ])
    }
    try Console.print(Text.columns(rows))
    return .done
  }
}
