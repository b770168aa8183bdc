import ArgumentParser
import RocJSON
import RocModel
import RocTool

struct InitCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a random-weight checkpoint that answers with [SCORE].",
    discussion: """
      Its answers have the trained form and its scores mean nothing: for tests, for
      measuring a machine, and as a start for training small models. --preset full is
      ROC4MLLM's size, 16.4 GB in bf16; llava-1.5-7b, qwen2-vl-2b and qwen2-vl-7b are the
      sizes of those models with score tokens. Embeddings and head of qwen2-vl-2b are one
      table, so that its random answer is [SCORE] alone.

      Examples:
        roc-model init demo-model --preset small --seed 1
        roc-model init qwen --preset qwen2-vl-2b
      """)

  @Argument(help: "The new folder.")
  var folder: String

  @Option(help: "Network and sizes.")
  var preset: ModelPreset = ModelPreset.all[0]

  @Option(help: "Another seed gives another model.")
  var seed: UInt64 = 1

  @Option(help: "Number format of the weights.")
  var dtype: FloatFormat = .bf16

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var tokens: ScoreTokenOptions

  func execute() throws -> ExitStatus {
    let compute = try guarded { try Engine.compute() }
    let model = RandomModel(
      preset: preset, seed: seed, dtype: dtype.dtype, tokens: tokens.numTokens,
      range: tokens.minScore...tokens.maxScore)
    let progress = WritingProgress(folder)
    try guarded { try model.write(to: folder, compute: compute, progress: progress.update) }
    progress.finish()
    Console.note("\(folder): \(preset.name) model of seed \(seed), \(dtype.rawValue)")
    if json {
      try MadeCheckpoint(folder).print(
        [
          .init("preset", .string(preset.name)), .init("seed", .string(String(seed))),
          .init("dtype", .string(dtype.rawValue)),
        ] + tokens.json)
    }
    return .done
  }
}
