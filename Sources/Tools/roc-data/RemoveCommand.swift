import ArgumentParser
import RocJSON
import RocNames
import RocStore
import RocTool

struct RemoveCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove a dataset from the database, with its runs.",
    discussion: """
      Says what would go; --yes removes it. Pictures and label files on the disk stay, and so does
      what is known of checkpoints that were trained on it.

      Example:
        roc-data remove ava --yes
      Exit code 4 says that nothing was removed.
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Flag(help: "Remove it.")
  var yes = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: !yes)
    let record = try store.dataset(dataset)
    let holdings = try store.holdings(of: record)
    if yes { try store.remove(record) }
    if json {
      let report: JSON = [
        "schema": "roc/removal/1", "dataset": .string(dataset), "removed": .bool(yes),
        "holds": .object(
          holdings.map {
            JSON.Member($0.what.replacing(" ", with: "_"), .int($0.count))
          }),
      ]
      try Console.printData(report.pretty)
    } else {
      try Console.print("\(dataset) (\(record.title)) \(yes ? "is removed with" : "holds"):")
      let rows = holdings.map { ["  \($0.count)", $0.what] }
      try Console.print(Text.columns(rows))
    }
    guard !yes else { return .done }
    Console.note("nothing was removed; roc-data remove \(dataset) --yes removes all of it")
    return .checkFailed
  }
}

struct RenameCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename",
    abstract: "Rename a dataset everywhere it is referenced.",
    discussion: """
      Example:
        roc-data rename table mine
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Argument(help: "The new one.")
  var name: String

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws { try DatasetName.check(name, "The new name") }

  func execute() throws -> ExitStatus {
    let store = try database.open()
    try store.rename(try store.dataset(dataset), to: name)
    try Console.print("\(dataset) is now \(name)")
    return .done
  }
}

/// What datasets may be called.
enum DatasetName {
  static func check(_ name: String, _ what: String) throws {
    let unseen: Set<Unicode.GeneralCategory> = [
      .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
      .paragraphSeparator,
    ]
    let isPlain = name.unicodeScalars.allSatisfy { scalar in
      !unseen.contains(scalar.properties.generalCategory)
        && !"/.:".unicodeScalars.contains(scalar)
    }
    guard !name.isEmpty, isPlain else {
      throw ValidationError(
        "\(what) \(Quoted.name(name)): expected a name without dots, slashes, colons and blanks.")
    }
  }
}
