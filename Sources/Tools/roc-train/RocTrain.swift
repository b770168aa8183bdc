import ArgumentParser
import RocModel
import RocTool

@main
struct RocTrainCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "roc-train",
    abstract: "Fine-tune a ROC4MLLM checkpoint on this machine.",
    discussion: """
      Flags have the names of the official finetune.sh. Records are checked before the first step;
      OUTPUT_DIR gets checkpoint-N folders, training.jsonl, TensorBoard events, losses.svg and in
      the end the model. The same command again goes on where a killed one stopped, to the bit.

      Examples:
        roc-train --model-name-or-path ROC4MLLM --dataset mine --split train --train head \\
          --output-dir mine-head
        roc-train --model-name-or-path tiny --data-path train.json --image-folder images \\
          --output-dir out --per-device-train-batch-size 4
      """,
    version: "roc \(Engine.version)")

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Optimiser") var optimiser: OptimiserOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func execute() throws -> ExitStatus { try TrainingCommand(self).run() }
}
