import ArgumentParser
import Foundation
import RocData
import RocJSON
import RocStore
import RocTool

struct CardCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "card",
    abstract: "Write a dataset card: source, licence, counts, splits, scores, defects, leaks.",
    discussion: """
      Writes DIR/DATASET.md and DIR/DATASET.svg. Each split is named with the SHA-256 of its ids, so
      that two people can see whether they have the same one.

      Example:
        roc-data card ava --output cards
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "The folder that both files go into.")
  var output = "."

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: true)
    let card = try DatasetCard(store, try store.dataset(dataset))
    try OutputFile.makeFolder(output)
    try OutputFile.write(card.svg, to: "\(output)/\(dataset).svg")
    try OutputFile.write(card.markdown(picture: "\(dataset).svg"), to: "\(output)/\(dataset).md")
    guard json else {
      Console.note("\(output)/\(dataset).md and \(dataset).svg")
      return .done
    }
    try Console.printData(
      JSON.object(
        [
          .init("schema", "roc/card/1"), .init("dataset", .string(dataset)),
          .init(
            "files", [.string("\(output)/\(dataset).md"), .string("\(output)/\(dataset).svg")]),
        ] + card.numbers
      ).pretty)
    return .done
  }
}
