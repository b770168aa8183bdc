import ArgumentParser
import RocNames

@main
struct RocDataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roc-data",
    abstract: "Import, check and export datasets of picture aesthetics.",
    discussion: """
      Example:
        roc-data import ava --source AVA_dataset --images images
        roc-data stats ava --split test
        roc-data export ava --split train --format roc --output train.json
      """,
    version: "roc \(rocVersion)",
    subcommands: [
      Import.self, AddSplit.self, List.self, Stats.self, VerifyImages.self, Validate.self,
      Export.self, Audit.self, Card.self, Rename.self, Remove.self, Demo.self,
    ])
}
