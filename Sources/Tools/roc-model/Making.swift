import ArgumentParser
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocScore
import RocTensor
import RocTool

extension ModelPreset: ExpressibleByArgument {
  /// The preset of that name.
  public init?(argument: String) {
    guard let found = ModelPreset.named(argument) else { return nil }
    self = found
  }

  /// For help and completion.
  public static var allValueStrings: [String] { all.map(\.name) }
  /// As help shows the default.
  public var defaultValueDescription: String { name }
}

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
