import ArgumentParser
import RocData
import RocJSON
import RocNames
import RocStore
import RocTool

struct AuditCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Look for pictures that are in more than one part of a dataset.",
    discussion: """
      Pictures shared by two parts of one scheme, by name, content or look, are a leak (exit code
      4), and so are copies of one original where the labels name it. Contents are known after
      verify-images. What schemes share with each other and with lists is reported.

      Example:
        roc-data audit ava --against train_ids.txt
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "A list of pictures, as a training set: ids, names, CSV or JSON records.")
  var against: String?

  @Flag(help: "Also take names that differ in Unicode form, letter case or leading zeros.")
  var looseNames = false

  @Flag(help: "Treat shared base names as leaks, too.")
  var strict = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: true)
    let audit = try LeakAudit(store, try store.dataset(dataset))
    guard !audit.isEmpty else {
      throw CommandError(
        .dataMissing,
        "\(dataset): is not divided into parts, so there is nothing to compare; add-split does it")
    }
    let list = try against.map { path in
      audit.against(try NameList.read(path), title: path, isLoose: looseNames)
    }
    if json {
      try Console.printData(audit.json(against: list).pretty)
    } else {
      let blocks = [
        ("Leaks inside a scheme", audit.leaks),
        ("The same base name in two parts", audit.warnings),
        ("Between schemes", audit.between), ("Between lists", audit.lists),
        ("Against \(against ?? "")", list ?? []),
      ]
      for (title, overlaps) in blocks where !overlaps.isEmpty {
        try Console.print("\(title):")
        for overlap in overlaps { try Console.print("  \(overlap.text)") }
      }
      if audit.twins.count > 0 {
        try Console.print(
          """
          \(audit.twins.count) pictures have the base name and the score of another one and may be \
          stored twice:
            \(audit.twins.examples.map(Quoted.name).joined(separator: "\n  "))
          """)
      }
      if audit.leaks.isEmpty { try Console.print("\(dataset): no leak inside a scheme") }
    }
    let isClean = audit.leaks.isEmpty && (!strict || audit.warnings.isEmpty)
    return isClean ? .done : .checkFailed
  }
}
