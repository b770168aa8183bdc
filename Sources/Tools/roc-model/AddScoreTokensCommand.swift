import ArgumentParser
import RocCheckpoint
import RocJSON
import RocModel
import RocScore
import RocTool

struct AddScoreTokensCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-score-tokens",
    abstract: "Turn a plain checkpoint into one with [SCORE] and score tokens.",
    discussion: """
      The base is mPLUG-Owl2, LLaVA-1.5 or Qwen2-VL. The rows of the new tokens in
      embeddings and head are the mean of those of the others; train before you score.
      A checkpoint that has score tokens is refused, so trained rows are never lost.

      Examples:
        roc-model add-score-tokens mplug-owl2-llama2-7b roc-base --num-tokens 10
        roc-model add-score-tokens llava-hf/llava-1.5-7b-hf roc-llava
      """)

  @Argument(help: "A checkpoint without score tokens.")
  var base: String

  @Argument(help: "The new folder.")
  var output: String

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var tokens: ScoreTokenOptions

  func execute() throws -> ExitStatus {
    let base = try checkpointFolder(base)
    let compute = try guarded { try Engine.compute() }
    try guarded {
      try Integrity.check(try Checkpoint(folder: base), .always) { Console.note($0) }
    }
    let progress = WritingProgress(output)
    try guarded {
      try ScoreTokens.add(
        to: base, folder: output,
        axis: ScoreAxis(
          low: tokens.minScore, high: tokens.maxScore, count: tokens.numTokens),
        compute: compute, progress: progress.update)
    }
    progress.finish()
    Console.note(
      """
      \(output): [SCORE] and \(tokens.numTokens) score tokens on \
      \(tokens.minScore)…\(tokens.maxScore), untrained
      """)
    if json {
      try MadeCheckpoint(output).print([.init("base", .string(base))] + tokens.json)
    }
    return .done
  }
}
