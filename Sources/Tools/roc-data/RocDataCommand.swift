import ArgumentParser
import RocNames
import RocTool

@main
struct RocDataCommand: ParsableCommand {
  static func main() { Program.main(Self.self) }

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
      ImportCommand.self, AddSplitCommand.self, ListCommand.self, StatsCommand.self,
      VerifyImagesCommand.self, ValidateCommand.self,
      ExportCommand.self, AuditCommand.self, CardCommand.self, RenameCommand.self,
      RemoveCommand.self, DemoCommand.self,
    ])
}
