import ArgumentParser
import RocModel
import RocTool

@main
struct RocEval: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roc-eval",
    abstract: "Score pictures and dataset splits with a ROC4MLLM checkpoint.",
    discussion: """
      Without a subcommand, a split of the database is scored and its metrics are printed:
        roc-eval --checkpoint DIR --dataset ava --split test --latex table.tex
      Its flags, which roc-eval run --help explains:
        --checkpoint --split [--dataset] [--db] [--base] [--precision]
        [--batch-size] [--threads] [--question] [--targets] [--scoring]
        [--level-task] [--level-prompt] [--level-scale] [--limit] [--offset]
        [--retry-failed] [--trained-on] [--resamples] [--seed] [--segments]
        [--shard] [--json] [--csv] [--latex] [--html]
      """,
    version: "roc \(Engine.version)",
    subcommands: [
      RunCommand.self, ScoreCommand.self, MetricsCommand.self, CompareCommand.self,
      PowerCommand.self, RunsCommand.self,
      TableCommand.self, ReportCommand.self, RemoveRunsCommand.self, MergeCommand.self,
      SlurmCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  /// Prints the help where there are no arguments: nobody knows yet what to ask for.
  static func main() {
    Program.main(Self.self, CommandLine.arguments.count > 1 ? nil : ["--help"])
  }
}
