import ArgumentParser
import RocData
import RocJSON
import RocNames
import RocStore
import RocTool

struct AddSplitCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-split",
    abstract: "Add a split scheme to a dataset from picture lists.",
    discussion: """
      Lists are ids, names (also as find -print0 writes them), CSV with the name first, or JSON records. Listed pictures that the
      dataset does not have are counted and named. The file may hold the lists of several parts, as
      {"train": […], "test": […]}.

      Example:
        roc-data add-split ava mine --train train.txt --test test.txt
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Argument(help: "The scheme's name.")
  var scheme: String

  @Option(help: "The list of training pictures.")
  var train: String?

  @Option(help: "The list of validation pictures.")
  var val: String?

  @Option(help: "The list of test pictures.")
  var test: String?

  @Flag(help: "Also take names that differ in Unicode form, letter case or leading zeros.")
  var looseNames = false

  @Flag(help: "Overwrite a split that the dataset's manifest defines.")
  var overwrite = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard train != nil || val != nil || test != nil else {
      throw ValidationError("Give at least one of --train, --val and --test.")
    }
    let isBlank = scheme.allSatisfy(\.isWhitespace)
    guard !isBlank, !scheme.contains("/"), !scheme.unicodeScalars.contains(where: Quoted.isControl)
    else {
      throw ValidationError(
        "The scheme \(Quoted.name(scheme)) must be a name without slashes and control characters.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open()
    let record = try store.dataset(dataset)
    let manifest = try? Manifest(yaml: record.manifest, path: record.name)
    guard manifest?.schemeNames.contains(scheme) != true || overwrite else {
      throw CommandError(
        .usage,
        """
        \(scheme) is a division of \(dataset)'s own; numbers on it would no longer be comparable: \
        choose another name, or overwrite it with --overwrite
        """)
    }
    var parts: [(part: String, names: [String])] = []
    for (part, path) in [("train", train), ("val", val), ("test", test)] {
      if let path { parts.append((part, try NameList.read(path, part: part))) }
    }
    let added = try store.addScheme(scheme, to: record, parts: parts, isLoose: looseNames)
    for entry in added {
      if !json {
        try Console.print("\(dataset) \(scheme)/\(entry.part): \(entry.members) pictures")
      }
      for (name, hint) in entry.unknown.prefix(5) {
        Console.note("Warning: \(name) is not in \(dataset)\(hint.map { ": \($0)" } ?? "")")
      }
      if entry.unknown.count > 5 {
        Console.note("Warning: … and \(entry.unknown.count - 5) more names of \(entry.part)")
      }
    }
    if json {
      let parts = added.map { entry in
        JSON.Member(
          entry.part,
          [
            "pictures": .int(entry.members),
            "unknown": .array(entry.unknown.map { .string($0.name) }),
          ])
      }
      let report: JSON = [
        "schema": "roc/split/1", "dataset": .string(dataset), "scheme": .string(scheme),
        "parts": .object(parts),
      ]
      try Console.printData(report.pretty)
    }
    return added.allSatisfy(\.unknown.isEmpty) ? .done : .partlyFailed
  }
}
