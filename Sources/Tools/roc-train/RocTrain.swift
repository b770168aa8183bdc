import ArgumentParser
import RocModel
import RocTool

@main
struct RocTrainCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "roc-train",
    abstract: "Fine-tune a ROC4MLLM checkpoint on this machine.",
    discussion: """
      Flags carry the names of the official finetune.sh, with dashes or underscores.
      Records are checked before the first step. The output folder gets checkpoints,
      a step log, TensorBoard events and the model; the same command resumes a killed run. --help-hidden lists all flags; docs/training.md explains
      them.

      Examples:
        roc-train --model-name-or-path ROC4MLLM --train head --dataset mine \\
          --split train --eval-split test --output-dir mine-head
      """,
    version: "roc \(Engine.version)")

  @OptionGroup var data: DataOptions
  @OptionGroup var model: ModelOptions
  @OptionGroup var optimiser: OptimiserOptions
  @OptionGroup var output: OutputOptions

  /// Flags as the official scripts write them, such as `--output_dir`, are accepted, too.
  static func main() {
    Program.main(
      Self.self,
      CommandLine.arguments.dropFirst().map { argument in
        guard argument.hasPrefix("--") else { return argument }
        let end = argument.firstIndex(of: "=") ?? argument.endIndex
        return String(argument[..<end].map { $0 == "_" ? "-" : $0 }) + argument[end...]
      })
  }

  mutating func validate() throws {
    guard model.train == .head else { return }
    guard data.order == nil, !data.groupByLength, output.saveSteps == nil else {
      throw ValidationError(
        "--order, --group-by-length and --save-steps do nothing for --train head.")
    }
  }

  func execute() throws -> ExitStatus { try TrainingCommand(self).run() }
}
