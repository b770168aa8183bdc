import ArgumentParser
import RocModel

@main
struct RocEval: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roc-eval",
    abstract: "Score pictures and dataset splits with a ROC4MLLM checkpoint.",
    discussion: """
      Without a subcommand, a split of the database is scored and its metrics are printed:
        roc-eval --checkpoint DIR --dataset ava --split test --latex table.tex
      """,
    version: "roc \(Engine.version)",
    subcommands: [
      Run.self, Score.self, MetricsCommand.self, Compare.self, PowerCommand.self, Runs.self,
      TableCommand.self, Report.self, Merge.self, Slurm.self,
    ],
    defaultSubcommand: Run.self)
}
