import ArgumentParser
import RocData
import RocJSON
import RocNames
import RocReport
import RocScore
import RocStore
import RocTool

struct StatsCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Show counts, scores and votes of a dataset or one of its splits.",
    discussion: """
      Example:
        roc-data stats ava --split official/test --json
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split: String?

  @Option(help: "Draw score and vote histograms, of each part without --split; - is stdout.")
  var svg: String?

  @Flag(help: "Print one JSON object with full precision.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard !(json && svg == "-") else {
      throw ValidationError("--json and --svg - both write to standard output.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: true)
    let record = try store.dataset(dataset)
    let (name, samples) = try store.samples(record, split: split)
    if let svg {
      try OutputFile.write(try plot(store, record, name, samples), to: svg)
      if svg == "-" { return .done }
    }
    var statistics = Statistics(dataset: record, split: name, samples: samples)
    try statistics.add(from: store, record, samples)
    if record.isMadeUp { Console.note("\(dataset): \(DatasetRecord.madeUp)") }
    if json {
      try Console.printData(statistics.json.pretty)
    } else {
      try Console.print(text(statistics))
    }
    return .done
  }

  /// All pictures and the parts of the default scheme, or the split that was asked for.
  private func plot(
    _ store: Store, _ record: DatasetRecord, _ name: SplitName?, _ samples: [SampleRecord]
  ) throws -> String {
    var parts = [(title: name?.description ?? "all", samples: samples)]
    if name == nil {
      let splits = try store.datasets().first { $0.record.name == record.name }?.splits ?? []
      for (split, _) in splits where split.scheme == record.defaultScheme {
        let title = split.description
        parts.append((title, try store.samples(record, split: title).samples))
      }
    }
    return StatisticsPlot.plot(record, parts).svg
  }

  private func text(_ statistics: Statistics) -> String {
    var lines = ["\(statistics.dataset) \(statistics.split?.description ?? "(all)")"]
    lines.append("  pictures  \(statistics.count)")
    if let scores = statistics.scores {
      lines.append(
        """
          gt_score  mean \(fixed(scores.mean, 6))  std \(fixed(scores.deviation, 6))  \
        min \(fixed(scores.least, 4))  max \(fixed(scores.largest, 4))
        """)
    }
    lines += votes(statistics) + attributes(statistics)
    if !statistics.themes.isEmpty {
      let shown = statistics.themes.prefix(12).map { "\($0.name) \($0.count)" }
      let rest = statistics.themes.count - shown.count
      lines.append(
        "  themes    \(shown.joined(separator: ", "))\(rest > 0 ? " and \(rest) more" : "")")
    }
    if let raters = statistics.raters {
      lines.append("  raters    \(raters.raters) with \(raters.ratings) ratings")
      for part in raters.parts {
        lines.append("            \(part.scheme)/\(part.part): \(part.count) raters")
      }
    }
    return lines.joined(separator: "\n")
  }

  private func votes(_ statistics: Statistics) -> [String] {
    guard let histogram = statistics.histogram, let votes = statistics.votes else {
      return ["  votes     none published"]
    }
    var lines = ["  votes     \(votes)"]
    let largest = max(histogram.max() ?? 1, 1)
    for (bin, count) in histogram.enumerated() {
      let label = String(repeating: " ", count: max(0, 4 - "\(bin + 1)".count)) + "\(bin + 1)"
      let bar = String(repeating: "█", count: 40 * count / largest)
      lines.append("  \(label)  \(bar) \(count)")
    }
    return lines
  }

  private func attributes(_ statistics: Statistics) -> [String] {
    guard !statistics.attributes.isEmpty else { return [] }
    var rows = [["  attribute", "pictures", "mean", "std", "min", "max", "scale"]]
    for attribute in statistics.attributes {
      let scores = attribute.scores
      rows.append([
        "  \(attribute.name)", "\(attribute.count)", fixed(scores.mean, 4),
        fixed(scores.deviation, 4), fixed(scores.least, 4), fixed(scores.largest, 4),
        attribute.range?.description ?? "not stated",
      ])
    }
    return Text.columns(rows).split(separator: "\n").map(String.init)
  }
}
