import ArgumentParser
import RocData
import RocJSON
import RocTool
import Synchronization

struct DemoCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Generate a small dataset with pictures, in AVA's file layout.",
    discussion: """
      A third of the pictures is the test split. Composition, colour harmony, exposure, sharpness
      and noise determine the simulated votes; docs/demo.md has the formula.

      Example:
        roc-data demo --output demo && roc-data import ava --source demo --images demo/images
      """)

  @Option(help: "The folder to make.")
  var output: String

  @Option(help: "How many pictures.")
  var images = 1500

  @Option(help: "Another seed makes another dataset.")
  var seed: UInt64 = 1

  @Flag(help: "Print one JSON object.")
  var json = false

  mutating func validate() throws {
    guard (3...1_000_000).contains(images) else {
      throw ValidationError("--images \(images): expected 3 to 1000000.")
    }
  }

  func execute() throws -> ExitStatus {
    let dataset = DemoDataset(images: images, seed: seed)
    let progress = Mutex(Progress("painting", total: images, unit: "pictures"))
    try dataset.write(to: output) { done in progress.withLock { $0.update(done) } }
    progress.withLock { $0.finish() }
    Console.note("\(output): \(images) pictures, \(dataset.testCount) of them test pictures")
    if json {
      let report: JSON = [
        "schema": "roc/demo/1", "output": .string(output), "images": .int(images),
        "test": .int(dataset.testCount), "seed": .string(String(seed)),
      ]
      try Console.printData(report.pretty)
    }
    return .done
  }
}
