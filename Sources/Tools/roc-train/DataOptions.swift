import ArgumentParser
import RocTool

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
