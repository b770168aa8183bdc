import ArgumentParser
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocScore
import RocTensor
import RocTool

extension ModelPreset: ExpressibleByArgument {}

/// The number formats that ordinary weights are written in.
enum FloatFormat: String, ExpressibleByArgument, CaseIterable {
  case f32
  case f16
  case bf16

  var dtype: DType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}

/// The score tokens of a new checkpoint.
struct ScoreTokenOptions: ParsableArguments {
  @Option(help: "Score tokens.")
  var numTokens = 10

  @Option(parsing: .unconditional, help: "The score of the first one.")
  var minScore = 1.0

  @Option(parsing: .unconditional, help: "The score of the last one.")
  var maxScore = 10.0

  mutating func validate() throws {
    guard (2...10_000).contains(numTokens) else {
      throw ValidationError("--num-tokens \(numTokens): expected 2 to 10000.")
    }
    guard minScore < maxScore, Float(minScore).isFinite, Float(maxScore).isFinite else {
      throw ValidationError("--min-score \(minScore) is not below --max-score \(maxScore).")
    }
  }
}

extension ScoreTokenOptions {
  /// What was asked for.
  var json: [JSON.Member] {
    [
      .init("num_tokens", .int(numTokens)), .init("min_score", .double(minScore)),
      .init("max_score", .double(maxScore)),
    ]
  }
}

/// A checkpoint folder that a command has just written.
struct MadeCheckpoint {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  /// Prints what was made as one JSON object, with the SHA-256 of the checkpoint and of its files.
  func print(_ members: [JSON.Member]) throws {
    let checkpoint = try guarded { try Checkpoint(folder: folder) }
    let digests = try guarded { try checkpoint.digests() }
    let files = digests.map { JSON.Member($0.name, .string($0.sha256)) }
    let own: [JSON.Member] = [
      .init("schema", "roc/checkpoint/1"), .init("output", .string(folder)),
      .init("sha256", .string(Checkpoint.sha256(of: digests))), .init("files", .object(files)),
    ]
    try Console.print(JSON.object(own + members).pretty)
  }
}

/// Shows megabytes while a checkpoint is written, and stops when the command is interrupted.
final class WritingProgress {
  private var progress: Progress?

  /// - Parameter folder: The new checkpoint; what killed runs left of it is removed.
  init(_ folder: String) {
    Interrupt.listen()
    OutputFile.note(Partial.clear(besides: folder))
  }

  /// - Returns: False once a signal came.
  func update(_ done: Int, _ total: Int) -> Bool {
    var progress = progress ?? Progress("writing", total: total / 1_000_000, unit: "MB")
    progress.update(done / 1_000_000)
    self.progress = progress
    return Interrupt.status == nil
  }

  func finish() { progress?.finish() }
}

struct InitCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a random-weight checkpoint that answers with [SCORE].",
    discussion: """
      Its answers have the trained form and its scores mean nothing: for tests, for
      measuring a machine, and as a start for training small models. --preset full is
      ROC4MLLM's size: 16.4 GB in bf16.

      Example:
        roc-model init demo-model --preset small --seed 1
      """)

  @Argument(help: "The new folder.")
  var folder: String

  @Option(help: "Sizes.")
  var preset: ModelPreset = .tiny

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
      low: tokens.minScore, high: tokens.maxScore)
    let progress = WritingProgress(folder)
    try guarded { try model.write(to: folder, compute: compute, progress: progress.update) }
    progress.finish()
    Console.note("\(folder): \(preset.rawValue) model of seed \(seed), \(dtype.rawValue)")
    if json {
      try MadeCheckpoint(folder).print(
        [
          .init("preset", .string(preset.rawValue)), .init("seed", .string(String(seed))),
          .init("dtype", .string(dtype.rawValue)),
        ] + tokens.json)
    }
    return .done
  }
}

struct AddScoreTokensCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-score-tokens",
    abstract: "Turn an mPLUG-Owl2 checkpoint into one with [SCORE] and score tokens.",
    discussion: """
      The new rows of embeddings and head are the mean of the old ones; train before you
      score. A checkpoint that has score tokens is refused, so trained rows are never lost.

      Example:
        roc-model add-score-tokens mplug-owl2-llama2-7b roc-base --num-tokens 10
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
