import ArgumentParser
import RocEvaluation
import RocJSON
import RocTool

struct MergeCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Put the segments of all workers into the database and print the metrics.",
    discussion: """
      Every picture of the split must be there exactly once: equal duplicates are folded, missing
      pictures and contradictions end with exit code 4 and change nothing.

      Example:
        roc-eval merge segments/
      """)

  @Argument(help: "The folder that --segments named.")
  var folder: String

  @Flag(help: "Merge what is there even if pictures are missing.")
  var partial = false

  @Flag(help: "Put the segments' predictions in place of others in the database.")
  var replace = false

  @OptionGroup var bootstrap: BootstrapOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write predictions and ground truth as CSV; - is standard output.")
  var csv: String?

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let merge = try MergeJob.read(folder, note: Console.note)
    let store = try database.open()
    let job = MergeJob(store, takesPart: partial, replaces: replace, note: Console.note)
    let result = try RunResult(
      job.run(merge, of: folder), in: store, bootstrap.resampling)
    if let csv { try OutputFile.write(result.csv, to: csv) }
    if json {
      try Console.printData(result.json.pretty)
    } else if csv != "-" {
      try Console.print(result.text)
    }
    return result.failures.isEmpty && merge.torn.isEmpty ? .done : .partlyFailed
  }
}
