import ArgumentParser
import RocScore
import RocTensor
import RocTool
import RocTrain

/// True and False as Python writes them, and what others do.
struct Switch: ExpressibleByArgument, CustomStringConvertible {
  let isOn: Bool

  var description: String { isOn ? "true" : "false" }

  init(_ isOn: Bool) { self.isOn = isOn }

  init?(argument: String) {
    switch argument.lowercased() {
    case "true", "1", "yes": isOn = true
    case "false", "0", "no": isOn = false
    default: return nil
    }
  }

}

/// What is trained.
enum TrainedPart: String, ExpressibleByArgument, CaseIterable {
  case full
  case lora
  case head

  /// The learning rate unless one is given.
  var usualRate: Double {
    switch self {
    case .full: 2e-5
    case .lora: 2e-4
    case .head: 1e-3
    }
  }
}

enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case f32
  case bf16
  case int8
}

enum SaveType: String, ExpressibleByArgument, CaseIterable {
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

extension Schedule.Kind: ExpressibleByArgument {}
extension ScoreLoss.EMDReduction: ExpressibleByArgument {}

struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Conversation records (JSON); with --image-folder.", valueName: "file"))
  var dataPath: String?

  @Option(help: ArgumentHelp("The folder of the records' pictures.", valueName: "dir"))
  var imageFolder: String?

  @Option(help: ArgumentHelp("A dataset of the database instead.", valueName: "name"))
  var dataset: String?

  @Option(help: ArgumentHelp("Its split.", valueName: "name"))
  var split: String?

  @Option(
    help: ArgumentHelp(
      "Records that are only scored on the way.", valueName: "file", visibility: .hidden))
  var evalDataPath: String?

  @Option(help: ArgumentHelp("A split that is only scored.", valueName: "name"))
  var evalSplit: String?

  @Option(
    help: ArgumentHelp(
      "Record numbers in the order to be used.", valueName: "file", visibility: .hidden))
  var order: String?

  @Flag(help: ArgumentHelp("Batches of similar lengths.", visibility: .hidden))
  var groupByLength = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The most tokens of a conversation.", valueName: "n", visibility: .hidden))
  var modelMaxLength = 2048

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard dataPath == nil || dataset == nil else {
      throw ValidationError("--data-path and --dataset exclude each other.")
    }
    guard dataPath != nil || dataset != nil else {
      throw ValidationError(
        "Say what to train on: --data-path FILE with --image-folder DIR, or --dataset D --split S.")
    }
    guard (dataPath == nil) == (imageFolder == nil) else {
      throw ValidationError("--data-path and --image-folder go together.")
    }
    guard (dataset == nil) == (split == nil) else {
      throw ValidationError("--dataset and --split go together.")
    }
    guard evalDataPath == nil || dataPath != nil, evalSplit == nil || dataset != nil else {
      throw ValidationError("--eval-data-path goes with --data-path, --eval-split with --dataset.")
    }
    guard order == nil || !groupByLength else {
      throw ValidationError("--order and --group-by-length exclude each other.")
    }
    guard (16...1_000_000).contains(modelMaxLength) else {
      throw ValidationError("--model-max-length \(modelMaxLength): expected 16 or more.")
    }
  }
}

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

struct OptimiserOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Weight of SmoothL1 of the score; else config.json's.", valueName: "n"))
  var l1Weight: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Weight of the distribution's cross-entropy.", valueName: "n"))
  var ceWeight: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Weight of the earth mover's distance.", valueName: "n"))
  var emdWeight: Double?

  @Option(
    help: ArgumentHelp(
      "One root a batch, as the official code, or one an image.", valueName: "one",
      visibility: .hidden))
  var emdReduction = ScoreLoss.EMDReduction.batch

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Else 2e-5; for lora 2e-4, for head 1e-3.", valueName: "n"))
  var learningRate: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Weight decay of AdamW.", valueName: "n", visibility: .hidden))
  var weightDecay = 0.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The share of steps until the full rate.", valueName: "n", visibility: .hidden))
  var warmupRatio = 0.03

  @Option(help: ArgumentHelp("How the rate moves.", valueName: "type", visibility: .hidden))
  var lrSchedulerType = Schedule.Kind.cosine

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Passes over the data: 3; for head 100.", valueName: "n"))
  var numTrainEpochs: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Updates in all, whatever the epochs.", valueName: "n", visibility: .hidden))
  var maxSteps: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Records of a batch.", valueName: "n"))
  var perDeviceTrainBatchSize = 8

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Batches of an update.", valueName: "n", visibility: .hidden))
  var gradientAccumulationSteps = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Largest norm of the gradients; 0 for any.", valueName: "n", visibility: .hidden))
  var maxGradNorm = 1.0

  @Option(
    defaultAsFlag: Switch(true),
    help: ArgumentHelp("Compute layers twice to save memory.", visibility: .hidden))
  var gradientCheckpointing: Switch?

  @Option(help: ArgumentHelp("Decides order, dropout and new weights.", visibility: .hidden))
  var seed: UInt64 = 42

  mutating func validate() throws {
    for (name, value) in [
      ("l1-weight", l1Weight), ("ce-weight", ceWeight), ("emd-weight", emdWeight),
      ("learning-rate", learningRate), ("weight-decay", weightDecay),
      ("max-grad-norm", maxGradNorm),
    ] {
      guard value.map({ $0 >= 0 && $0.isFinite }) ?? true else {
        throw ValidationError("--\(name) \(value ?? 0): expected a number of 0 or more.")
      }
    }
    guard numTrainEpochs.map({ $0 > 0 && $0 <= 1e6 }) ?? true else {
      throw ValidationError(
        "--num-train-epochs \(numTrainEpochs ?? 0): expected more than 0, at most 1e6.")
    }
    guard (0...1).contains(warmupRatio) else {
      throw ValidationError("--warmup-ratio \(warmupRatio): expected 0 to 1.")
    }
    for (name, value) in [
      ("per-device-train-batch-size", perDeviceTrainBatchSize),
      ("gradient-accumulation-steps", gradientAccumulationSteps), ("max-steps", maxSteps ?? 1),
    ] {
      guard (1...100_000_000).contains(value) else {
        throw ValidationError("--\(name) \(value): expected 1 or more.")
      }
    }
  }
}

struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder of the training.", valueName: "dir"))
  var outputDir: String

  @Flag(help: ArgumentHelp("Discard earlier training in the folder.", visibility: .hidden))
  var overwriteOutputDir = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Updates between checkpoints; else one at the end.", valueName: "n"))
  var saveSteps: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Checkpoints that stay; 0 for all.", valueName: "n", visibility: .hidden))
  var saveTotalLimit = 2

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Updates between evaluations; else one in the end.", valueName: "n"))
  var evalSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Number format of the trained weights.", valueName: "type", visibility: .hidden))
  var saveDtype = SaveType.f32

  @Flag(help: "Print a JSON line a step.")
  var jsonl = false

  mutating func validate() throws {
    for (name, value, least) in [
      ("save-steps", saveSteps ?? 1, 1), ("eval-steps", evalSteps ?? 1, 1),
      ("save-total-limit", saveTotalLimit, 0),
    ] where value < least {
      throw ValidationError("--\(name) \(value): expected \(least) or more.")
    }
  }
}
