import ArgumentParser
import Foundation
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocNames
import RocTensor
import RocTool

extension Precision: ExpressibleByArgument {}

struct VerifyCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare a model stage by stage with tensors that a reference wrote.",
    discussion: """
      The reference is a safetensors file with <picture>/pixel_values and stages such as
      <picture>/vision, /abstractor, /llama.layer0, /logits.prompt. A golden.json beside it
      says what was asked. Exit code 4: a stage differs; the first in the order of the
      network is where to look. 3: pictures without pixels were not compared.

      Example:
        roc-model verify DIR --golden DIR/tensors.safetensors --images PICTURES
      """)

  @Argument(help: "A folder, or a Hub name in the local cache.")
  var checkpoint: String

  @Option(help: "The reference's tensors.")
  var golden: String

  @Option(help: "Folder of the pictures whose pixels the reference lacks.")
  var images: String?

  @Option(help: "What was asked; else by golden.json, else the trained one.")
  var question: String?

  @Option(help: "How to compute.")
  var precision: Precision = .f32

  @Option(help: "Factor of all tolerances.")
  var tolerance = 1.0

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var options: ComputeOptions

  mutating func validate() throws {
    guard tolerance > 0, tolerance.isFinite else {
      throw ValidationError("--tolerance \(tolerance): expected a number above 0.")
    }
  }

  func execute() throws -> ExitStatus {
    guard fileExists(golden) else { throw CommandError(.dataMissing, "\(golden): no such file") }
    guard !golden.hasSuffix(".json") else {
      throw CommandError(
        .usage, "\(golden): expected the safetensors file of the reference's stages, beside it")
    }
    let folder = try checkpointFolder(checkpoint)
    let compute = try options.compute()
    let verification = try guarded {
      let loader = try ModelLoader(folder: folder, compute: compute, precision: precision)
      return try Verification(
        try Engine(loader, compute: compute), golden: golden, question: try asked(),
        pictures: try pictures(), scale: tolerance)
    }
    if !verification.skipped.isEmpty {
      Console.note(
        """
        Warning: not compared, for they have no pixel_values and there is no picture in \
        \(images ?? "--images"): \(verification.skipped.joined(separator: ", "))
        """)
    }
    let failed = verification.stages.filter { !$0.holds }
    if json {
      try Console.printData(self.json(verification, failed.count).pretty)
    } else {
      for stage in verification.stages {
        try Console.print(
          """
          \(stage.holds ? "ok    " : "DIFFER") \(stage.picture)/\(stage.name)  \
          \(found(stage)) (at most \(short(stage.tolerance)))
          """)
      }
      try Console.print(
        "\(verification.stages.count) stages compared, \(failed.count) differ")
    }
    guard failed.isEmpty else { return .checkFailed }
    return verification.skipped.isEmpty ? .done : .partlyFailed
  }

  /// Picture files by their names without extension.
  ///
  /// Of two with the same stem, the first in the alphabet counts; a reference that means the other
  /// stores its pixels.
  private func pictures() throws -> [ExactText: String] {
    guard let images else { return [:] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: images) else {
      throw CommandError(.dataMissing, "\(images): no such folder")
    }
    var result: [ExactText: String] = [:]
    for name in names.sortedByBytes().reversed()
    where ["jpg", "jpeg", "png", "webp", "bmp"].contains(PathName.ending(name)) {
      result[PathName.stem(name)] = "\(images)/\(name)"
    }
    return result
  }

  /// The first question of golden.json beside the tensors.
  private func asked() throws -> String {
    if let question { return question }
    let folder = golden.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let path = folder.isEmpty ? "golden.json" : "\(folder)/golden.json"
    guard fileExists(path), let prompt = try readJSON(path)["prompts"]?.members?.first,
      let ask = prompt.value["ask"]?.string
    else { return Engine.defaultQuestion }
    return ask.hasPrefix("<|image|>\n") ? String(ask.dropFirst("<|image|>\n".count)) : ask
  }
}
