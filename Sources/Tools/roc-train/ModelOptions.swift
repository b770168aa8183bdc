import ArgumentParser
import RocScore

struct ModelOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A checkpoint folder or a Hub name in the cache.", valueName: "dir"))
  var modelNameOrPath: String

  @Option(
    help: ArgumentHelp(
      "All; low-rank updates; or score rows alone.", valueName: "part"))
  var train = TrainedPart.full

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Score tokens to add to a checkpoint without.", valueName: "n"))
  var numTokens: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The score of the first token; else the model's.", valueName: "n"))
  var minScore: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The score of the last token; else the model's.", valueName: "n"))
  var maxScore: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Qwen2-VL: the most pixels of a picture.", valueName: "n", visibility: .hidden))
  var maxPixels: Int?

  @Option(defaultAsFlag: Switch(true), help: "Leave the vision encoder as it is.")
  var freezeVisionModel: Switch?

  @Option(
    defaultAsFlag: Switch(true),
    help: ArgumentHelp(
      "Train the abstractor, projector or merger.", visibility: .hidden))
  var tuneVisualAbstractor: Switch?

  @Option(
    help: ArgumentHelp(
      "Of products; trained weights stay f32. int8 for lora and head.", valueName: "type",
      visibility: .hidden))
  var precision = PrecisionChoice.f32

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads; all cores by default.", visibility: .hidden))
  var threads: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Rank of low-rank updates.", valueName: "n", visibility: .hidden))
  var loraRank = 16

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Their scale times the rank.", valueName: "n", visibility: .hidden))
  var loraAlpha = 32.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of their inputs left out.", valueName: "n", visibility: .hidden))
  var loraDropout = 0.05

  @Option(
    help: ArgumentHelp(
      "Modules with updates, by commas; the language model's projections.", valueName: "names",
      visibility: .hidden))
  var loraTargets: String?

  @Option(
    help: ArgumentHelp(
      "Modules trained whole beside them, or none.", valueName: "names", visibility: .hidden))
  var loraModulesToSave = "lm_head,embed_tokens"

  mutating func validate() throws {
    guard (minScore == nil) == (maxScore == nil) else {
      throw ValidationError("--min-score and --max-score go together.")
    }
    if let minScore, let maxScore,
      !(minScore < maxScore && minScore.isFinite && maxScore.isFinite)
    {
      throw ValidationError("--min-score \(minScore) is not below --max-score \(maxScore).")
    }
    guard numTokens.map({ (2...1000).contains($0) }) ?? true else {
      throw ValidationError("--num-tokens \(numTokens ?? 0): expected 2 to 1000.")
    }
    guard threads.map({ (1...256).contains($0) }) ?? true else {
      throw ValidationError("--threads \(threads ?? 0): expected 1 to 256.")
    }
    guard precision != .int8 || train != .full else {
      throw ValidationError("--precision int8: 8-bit weights are not trained; use --train lora.")
    }
    guard (1...4096).contains(loraRank) else {
      throw ValidationError("--lora-rank \(loraRank): expected 1 to 4096.")
    }
    guard loraAlpha > 0, loraAlpha.isFinite else {
      throw ValidationError("--lora-alpha \(loraAlpha): expected a number above 0.")
    }
    guard (0..<1).contains(loraDropout) else {
      throw ValidationError("--lora-dropout \(loraDropout): expected 0 to below 1.")
    }
    guard train == .lora || loraTargets == nil else {
      throw ValidationError("--lora-targets goes with --train lora.")
    }
  }
}
