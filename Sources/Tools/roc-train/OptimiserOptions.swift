import ArgumentParser
import RocTrain

extension Schedule.Kind: ExpressibleByArgument {}

extension ScoreLoss.EMDReduction: ExpressibleByArgument {}

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
