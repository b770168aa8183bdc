import ArgumentParser

struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder of the training.", valueName: "dir"))
  var outputDir: String

  @Flag(help: ArgumentHelp("Discard earlier training in the folder.", visibility: .hidden))
  var overwriteOutputDir = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Updates between checkpoints; else one at the end.", valueName: "n"))
  var saveSteps: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Checkpoints that stay; 0 for all.", valueName: "n", visibility: .hidden))
  var saveTotalLimit = 2

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Updates between evaluations; else one in the end.", valueName: "n"))
  var evalSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Number format of the trained weights.", valueName: "type", visibility: .hidden))
  var saveDtype = SaveType.f32

  @Flag(help: "Print a JSON line a step.")
  var jsonl = false

  mutating func validate() throws {
    for (name, value, least) in [
      ("save-steps", saveSteps ?? 1, 1), ("eval-steps", evalSteps ?? 1, 1),
      ("save-total-limit", saveTotalLimit, 0),
    ] where value < least {
      throw ValidationError("--\(name) \(value): expected \(least) or more.")
    }
  }
}
