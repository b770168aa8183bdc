import ArgumentParser
import RocJSON
import RocNames
import RocScore
import RocStore
import RocTool

struct ListCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the datasets in the database and their splits.")

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let datasets = try database.open(readOnly: true).datasets()
    if json {
      let list = datasets.map { entry -> JSON in
        [
          "dataset": .string(entry.record.name),
          "title": .string(entry.record.title),
          "made_up": .bool(entry.record.isMadeUp),
          "images": .int(entry.images),
          "range": [.double(entry.record.range.low), .double(entry.record.range.high)],
          "direction": .string(entry.record.higherIsBetter ? "higher" : "lower"),
          "default_scheme": .string(entry.record.defaultScheme),
          "splits": .object(
            entry.splits.map { JSON.Member($0.name.description, .int($0.count)) }),
        ]
      }
      let object: JSON = ["schema": "roc/list/1", "datasets": .array(list)]
      try Console.printData(object.pretty)
      return .done
    }
    var rows = [["dataset", "split", "pictures"]]
    for entry in datasets {
      let name = entry.record.name + (entry.record.isMadeUp ? " (made up)" : "")
      rows.append([name, "(all)", String(entry.images)])
      for split in entry.splits { rows.append(["", "\(split.name)", String(split.count)]) }
    }
    try Console.print(Text.columns(rows))
    return .done
  }
}
