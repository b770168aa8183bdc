import ArgumentParser
import RocData
import RocEvaluation
import RocJSON
import RocMetrics
import RocReport
import RocStore
import RocTables
import RocTool

struct TableCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Print one of the paper's tables with your own runs in it.",
    discussion: """
      Tables 1 to 6 of Ma et al. (AAAI 2026) with the published rows; own rows come
      from stored runs. Best values are found anew in every column. A YAML file
      makes a table of your own choice.

      Examples:
        roc-eval table 2 --run 4=Ours --run 5=Ours --output table2.tex
        roc-eval table mine.yaml --output mine.md
      """)

  @Argument(help: "1 to 6, or a YAML file.")
  var table: String

  @Option(help: "A stored run, RUN or RUN=NAME; repeats.")
  var run: [String] = []

  @Option(help: "The split of the runs.")
  var split = "test"

  @Option(
    help:
      "Table 5: the block of all own rows, mPLUG-Owl2, LLaVA 1.5 or Qwen2-VL; else each run's own.")
  var block: String?

  @Flag(help: "Put the own rows in place of the paper's own.")
  var replaceOurs = false

  @Flag(help: "Underline the second best values.")
  var underlineSecond = false

  @Flag(help: "Show numbers of other protocols, with a footnote.")
  var force = false

  @Option(help: "latex, markdown, csv or html; default: by the file's ending.")
  var format: TableFormat?

  @Option(help: "Where to write; - is standard output.")
  var output = "-"

  @Flag(help: "Print one JSON object; the table only into --output.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    let number = Int(table)
    guard number.map(PaperLayout.numbers.contains) ?? table.hasSuffix(".yaml") else {
      throw ValidationError("\(table): expected 1 to 6, or a .yaml file.")
    }
    guard number != nil || run.isEmpty else {
      throw ValidationError("--run: \(table) names its runs itself, as rows with run: N.")
    }
    guard format != nil || TableFormat(ending: output) != nil else {
      throw ValidationError(
        "--output \(output): expected .tex, .md, .csv or .html, or --format beside it.")
    }
    guard block.map(PaperLayout.bases.contains) ?? true else {
      throw ValidationError(
        "--block \(block ?? ""): expected mPLUG-Owl2, LLaVA 1.5 or Qwen2-VL.")
    }
  }

  func execute() throws -> ExitStatus {
    let job = TableJob({ try database.open(readOnly: true) }, split: split, force: force)
    let layout = TableJob.Layout(block: block, replacesOurs: replaceOurs)
    let made =
      try Int(table).map { try job.paper($0, runs: run, layout) } ?? job.custom(table)
    let text =
      switch format ?? TableFormat(ending: output) ?? .latex {
      case .latex: made.latex(underlinesSecond: underlineSecond)
      case .markdown: made.markdown(underlinesSecond: underlineSecond)
      case .csv: made.csv
      case .html: made.html(underlinesSecond: underlineSecond)
      }
    if !json || output != "-" { try OutputFile.write(text, to: output) }
    if json { try Console.printData(object(made).pretty) }
    return .done
  }

  /// Every value of the table, and what stands below it.
  private func object(_ made: PaperTable) -> JSON {
    [
      "schema": "roc/table/1", "table": .string(table), "caption": .string(made.caption),
      "values": .array(
        made.records.map { record in
          [
            "method": .string(record.method), "venue": .string(record.venue),
            "dataset": .string(record.dataset), "metric": .string(record.metric),
            "attribute": .string(record.attribute), "task": .string(record.task),
            "value": .double(record.value), "footnotes": .string(record.marks),
          ]
        }),
      "footnotes": .array(made.footnotes.map(JSON.string)),
    ]
  }
}

/// How a table is written.
enum TableFormat: String, ExpressibleByArgument, CaseIterable {
  case latex
  case markdown
  case csv
  case html

  /// By a file's ending; LaTeX for standard output.
  init?(ending path: String) {
    let ending = path.lowercased().split(separator: ".").last.map(String.init) ?? ""
    let known: [String: TableFormat] = [
      "-": .latex, "tex": .latex, "latex": .latex, "md": .markdown, "markdown": .markdown,
      "csv": .csv, "html": .html, "htm": .html,
    ]
    guard let found = known[ending] else { return nil }
    self = found
  }
}
