import ArgumentParser
import RocJSON
import RocMetrics
import RocScore
import RocTool

struct PowerCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "power",
    abstract: "Images needed to tell two correlations apart.",
    discussion: """
      Two models on the same images need their own correlation with each other (--between): the more
      alike they are, the fewer images are needed. Without it the images are separate sets.
      Put negative correlations after --.

      Example:
        roc-eval power 0.832 0.829 --between 0.95
      """)

  @Argument(help: "The correlation of the first model with the ground truth.")
  var first: Double

  @Argument(help: "The correlation of the second model.")
  var second: Double

  @Option(parsing: .unconditional, help: "The correlation of the two models with each other.")
  var between: Double?

  @Option(help: "srcc or plcc.")
  var metric = "srcc"

  @Option(help: "The chance to find the difference.")
  var power = 0.8

  @Option(help: "The two-sided level of the test.")
  var level = 0.05

  @Option(help: "Say what this many images would show instead.")
  var images: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  mutating func validate() throws {
    for (name, value) in [("first", first), ("second", second), ("--between", between ?? 0)]
    where !(abs(value) < 1) {
      throw ValidationError("\(name) \(value): expected a correlation between -1 and 1.")
    }
    guard ["srcc", "plcc"].contains(metric) else {
      throw ValidationError("--metric \(metric): expected srcc or plcc.")
    }
    for (name, value) in [("--power", power), ("--level", level)] where !(value > 0 && value < 1) {
      throw ValidationError("\(name) \(value): expected a share between 0 and 1.")
    }
    guard power > level else {
      throw ValidationError(
        "--power \(power): expected more than --level \(level), the chance without a difference.")
    }
    guard images ?? 4 > 3 else {
      throw ValidationError("--images \(images ?? 0): expected 4 or more.")
    }
    if let between {
      // Three correlations of real data never contradict each other.
      let determinant =
        1 + 2 * first * second * between - first * first - second * second - between * between
      guard determinant >= 0 else {
        throw ValidationError(
          "--between \(between): two models with these correlations cannot correlate so.")
      }
    }
  }

  func execute() throws -> ExitStatus {
    let kind: DependentCorrelations.Kind = metric == "srcc" ? .spearman : .pearson
    let pair = CorrelationPower(first, second, between: between, kind: kind)
    let needed = pair.images(significance: level, power: power)
    let chance = images.flatMap { pair.chance(count: $0, significance: level) }
    if json {
      let object: JSON = [
        "schema": "roc/power/1", "metric": .string(metric), "first": .double(first),
        "second": .double(second), "between": JSON(between), "level": .double(level),
        "power": .double(power), "images": JSON(needed), "given_images": JSON(images),
        "given_power": JSON(chance),
      ]
      try Console.printData(object.pretty)
      return .done
    }
    let what = between == nil ? "images of each of two sets" : "images that both models scored"
    try Console.print(
      needed.map {
        """
        \($0) \(what) tell \(metric.uppercased()) \(ScoreRange.short(first)) from \
        \(ScoreRange.short(second)) with a chance of \(ScoreRange.short(power * 100)) % at the level \
        \(ScoreRange.short(level))
        """
      } ?? (first == second ? "they are equal" : "they are too close for any number of images"))
    if let images, let chance {
      try Console.print("\(images) images show it with a chance of \(fixed(chance * 100, 1)) %")
    }
    return .done
  }
}
