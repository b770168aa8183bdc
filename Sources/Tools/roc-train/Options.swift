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
  @Option(help: "Conversation records (JSON); with --image-folder.")
  var dataPath: String?

  @Option(help: "The folder of the records' pictures.")
  var imageFolder: String?

  @Option(help: "A dataset of the database instead.")
  var dataset: String?

  @Option(help: "Its split.")
  var split: String?

  @Option(help: "Records that are only scored on the way.")
  var evalDataPath: String?

  @Option(help: "Or a split of the dataset.")
  var evalSplit: String?

  @Option(help: "Record numbers in the order to be used.")
  var order: String?

  @Flag(help: "Batches of similar lengths.")
  var groupByLength = false

  @Option(help: "The most tokens of a conversation.")
  var modelMaxLength = 2048

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard (dataPath == nil) != (dataset == nil) else {
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
  @Option(help: "A checkpoint folder or a Hub name in the cache.")
  var modelNameOrPath: String

  @Option(help: "full, lora, or head: the score tokens' rows on stored hidden states.")
  var train = TrainedPart.full

  @Option(help: "Score tokens to add to a checkpoint without.")
  var numTokens: Int?

  @Option(parsing: .unconditional, help: "The score of the first token; else the model's.")
  var minScore: Double?

  @Option(parsing: .unconditional, help: "The score of the last token; else the model's.")
  var maxScore: Double?

  @Option(defaultAsFlag: Switch(true), help: "Leave the vision encoder as it is.")
  var freezeVisionModel: Switch?

  @Option(defaultAsFlag: Switch(true), help: "Train the abstractor.")
  var tuneVisualAbstractor: Switch?

  @Option(help: "Of products; trained weights stay f32. int8 for lora and head.")
  var precision = PrecisionChoice.f32

  @Option(help: "Threads; all cores by default.")
  var threads: Int?

  @Option(help: "Rank of low-rank updates.")
  var loraRank = 16

  @Option(help: "Their scale times the rank.")
  var loraAlpha = 32.0

  @Option(help: "The share of their inputs left out.")
  var loraDropout = 0.05

  @Option(help: "Modules with updates, by commas; the language model's projections.")
  var loraTargets: String?

  @Option(help: "Modules trained whole beside them, or none.")
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
    guard (1...4096).contains(loraRank), loraAlpha > 0, loraAlpha.isFinite,
      (0..<1).contains(loraDropout)
    else {
      throw ValidationError(
        "--lora-rank 1 to 4096, --lora-alpha above 0, --lora-dropout from 0 to below 1.")
    }
  }
}

struct OptimiserOptions: ParsableArguments {
  @Option(help: "Weight of SmoothL1 of the score; else config.json's.")
  var l1Weight: Double?

  @Option(help: "Weight of the distribution's cross-entropy.")
  var ceWeight: Double?

  @Option(help: "Weight of the earth mover's distance.")
  var emdWeight: Double?

  @Option(help: "One root a batch, as the official code, or one an image.")
  var emdReduction = ScoreLoss.EMDReduction.batch

  @Option(help: "2e-5; lora 2e-4, head 1e-3.")
  var learningRate: Double?

  @Option(help: "Of AdamW.")
  var weightDecay = 0.0

  @Option(help: "The share of steps until the full rate.")
  var warmupRatio = 0.03

  @Option(help: "How the rate moves.")
  var lrSchedulerType = Schedule.Kind.cosine

  @Option(help: "Passes over the data; head 100.")
  var numTrainEpochs: Double?

  @Option(help: "Updates in all, whatever the epochs.")
  var maxSteps: Int?

  @Option(help: "Records of a batch.")
  var perDeviceTrainBatchSize = 8

  @Option(help: "Batches of an update.")
  var gradientAccumulationSteps = 1

  @Option(help: "Largest norm of the gradients; 0 for any.")
  var maxGradNorm = 1.0

  @Option(defaultAsFlag: Switch(true), help: "Compute layers twice to save memory.")
  var gradientCheckpointing: Switch?

  @Option(help: "Decides order, dropout and new weights.")
  var seed: UInt64 = 42

  mutating func validate() throws {
    for (name, value) in [
      ("l1-weight", l1Weight), ("ce-weight", ceWeight), ("emd-weight", emdWeight),
      ("learning-rate", learningRate), ("weight-decay", weightDecay),
      ("max-grad-norm", maxGradNorm),
      ("num-train-epochs", numTrainEpochs),
    ] {
      guard value.map({ $0 >= 0 && $0.isFinite }) ?? true else {
        throw ValidationError("--\(name) \(value ?? 0): expected a number of 0 or more.")
      }
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
  @Option(help: "The folder of the training.")
  var outputDir: String

  @Flag(help: "Forget what the folder holds of a training.")
  var overwriteOutputDir = false

  @Option(help: "Updates between checkpoints; else one in the end.")
  var saveSteps: Int?

  @Option(help: "Checkpoints that stay; 0 for all.")
  var saveTotalLimit = 2

  @Option(help: "Updates between evaluations; else one in the end.")
  var evalSteps: Int?

  @Option(help: "Number format of the trained weights.")
  var saveDtype = SaveType.f32

  @Flag(help: "Print a JSON line a step.")
  var jsonl = false

  mutating func validate() throws {
    guard saveSteps ?? 1 >= 1, evalSteps ?? 1 >= 1, saveTotalLimit >= 0 else {
      throw ValidationError("--save-steps and --eval-steps: 1 or more; --save-total-limit: 0.")
    }
  }
}
