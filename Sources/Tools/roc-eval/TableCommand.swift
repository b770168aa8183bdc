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

  @Option(help: "Put the own rows in table 5's block of this base model.")
  var block = "mPLUG-Owl2"

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
    guard ["mPLUG-Owl2", "LLaVA 1.5", "Qwen2-VL"].contains(block) else {
      throw ValidationError("--block \(block): expected mPLUG-Owl2, LLaVA 1.5 or Qwen2-VL.")
    }
  }

  func execute() throws -> ExitStatus {
    let made = try Int(table).map(paperTable) ?? customTable()
    let text =
      switch format ?? TableFormat(ending: output) ?? .latex {
      case .latex: made.latex(underlinesSecond: underlineSecond)
      case .markdown: made.markdown(underlinesSecond: underlineSecond)
      case .csv: made.csv
      case .html: made.html(underlinesSecond: underlineSecond)
      }
    if !json || output != "-" { try OutputFile.write(text, to: output) }
    if json { try Console.print(object(made).pretty) }
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

  private func paperTable(_ number: Int) throws -> PaperTable {
    var rows = OwnRows(force: force, splitsTasks: number == 5)
    let keys = PaperLayout.keys(number)
    for text in run {
      let (stored, comments, name) = try storedRun(text, keys)
      try rows.add(stored, comments, name: name, keys: keys)
    }
    var made = PaperLayout(
      own: rows.rows, replacesOurs: replaceOurs, block: "\(block) block"
    ).table(number)
    made.footnotes = rows.footnotes
    return made
  }

  private func storedRun(
    _ text: String, _ keys: [OwnRow.Key]
  ) throws -> (StoredRun, CommentMetrics?, name: String?) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard let number = parts.first.flatMap({ Int64($0) }) else {
      throw CommandError(.usage, "--run \(text): expected RUN or RUN=NAME")
    }
    let store = try database.open(readOnly: true)
    let (record, dataset) = try store.run(number)
    let stored = try StoredRun(store, record, dataset, split: split)
    let isCommented = keys.contains { $0.metric == "CIDEr" }
    return (
      stored, isCommented ? try CommentMetrics.of(stored, in: store) : nil,
      name: parts.count > 1 ? parts[1] : nil
    )
  }

  private func customTable() throws -> PaperTable {
    let custom = try CustomTable(path: table)
    var rows = OwnRows(force: force)
    for (number, name) in custom.runs {
      let (stored, comments, _) = try storedRun(String(number), custom.keys)
      try rows.add(stored, comments, name: name, keys: custom.keys)
    }
    var made = try custom.table(own: rows.rows)
    made.footnotes = rows.footnotes
    return made
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

/// The rows that stored runs make: one for each name, with the numbers of all its runs.
struct OwnRows {
  private(set) var rows: [OwnRow] = []
  private(set) var footnotes: [String] = []
  private let force: Bool
  /// Whether scores alone and scores with comments are rows of their own, as in table 5.
  private let splitsTasks: Bool

  init(force: Bool, splitsTasks: Bool = false) {
    self.force = force
    self.splitsTasks = splitsTasks
  }

  /// Datasets as tables call them, by the name of the manifest.
  private static let datasets = [
    "ava": "AVA", "tad66k": "TAD66K", "icaa17k": "ICAA17K", "aadb": "AADB", "para": "PARA",
    "ava-captions": "AVA-Captions",
  ]

  /// Attributes as table 4 calls them, by the dataset's own name.
  private static let attributes = [
    "ColorHarmony": "Color Harmony", "DoF": "DoF", "Light": "Light", "MotionBlur": "Motion Blur",
    "RuleOfThirds": "RoT", "VividColor": "Vivid Color", "compositionScore_mean": "Composition",
    "colorScore_mean": "Color", "dofScore_mean": "DoF", "lightScore_mean": "Light",
  ]

  /// Adds a run's numbers to the row of its name.
  ///
  /// - Throws: `CommandError` when they were measured by another protocol than the table's.
  mutating func add(
    _ stored: StoredRun, _ comments: CommentMetrics?, name: String?, keys: [OwnRow.Key]
  ) throws(CommandError) {
    let number = stored.run.id ?? 0
    let manifest = try? Manifest(yaml: stored.dataset.manifest, path: stored.dataset.name)
    let known = manifest?.name ?? stored.dataset.name
    let dataset = Self.datasets[known] ?? stored.dataset.title
    let wanted = keys.filter { $0.dataset == dataset }
    guard !wanted.isEmpty else {
      let list = Set(keys.map(\.dataset)).sorted().joined(separator: ", ")
      throw CommandError(
        .usage, "run \(number) is on \(stored.dataset.title), the table is on \(list)")
    }
    let admission = TableAdmission(stored, as: dataset)
    let gaps = admission.differences
    if !gaps.isEmpty, !force {
      throw CommandError(
        .checkFailed,
        """
        run \(number) may not stand beside the published numbers: \(gaps.joined(separator: "; ")). \
        --force shows it with a footnote that says so
        """)
    }
    var mark = ""
    let footnote = gaps + admission.remarks
    if !footnote.isEmpty {
      mark = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(footnotes.count % 26)))
      footnotes.append("\(mark) \(footnote.joined(separator: "; ")).")
    }
    let row = name ?? stored.method
    let found = rows.firstIndex {
      $0.name == row && (!splitsTasks || $0.hasComments == (comments != nil))
    }
    let place = found ?? rows.count
    if found == nil { rows.append(OwnRow(name: row)) }
    if let comments, let key = wanted.first(where: { $0.metric == "CIDEr" }) {
      try set(key, comments.cider, mark, row: place, run: number)
    }
    for target in stored.run.targets {
      let attribute = target == StoredRun.holistic ? nil : Self.attributes[target] ?? target
      let metrics = Metrics(
        stored.pairs(target: target).pairs, threshold: stored.dataset.threshold)
      for key in wanted where key.attribute == attribute {
        let names = [
          "SRCC": "srcc", "PLCC": "plcc", "KRCC": "krcc", "MAE": "mae",
          "RMSE": "rmse", "ACC": "accuracy", "EMD": "emd1",
        ]
        guard let name = names[key.metric], let value = metrics[name]?.value else { continue }
        let isCorrelation = ["SRCC", "PLCC", "KRCC"].contains(key.metric)
        // On scales where low is good a good model's correlation may be printed without its sign.
        let shown = isCorrelation && !stored.dataset.higherIsBetter ? abs(value) : value
        try set(key, shown, mark, row: place, run: number)
      }
    }
  }

  private mutating func set(
    _ key: OwnRow.Key, _ value: Double, _ mark: String, row: Int, run: Int64
  ) throws(CommandError) {
    guard rows[row].values[key] == nil else {
      throw CommandError(
        .usage,
        """
        run \(run): the row \(rows[row].name) has a \(key.metric) on \(key.dataset) already; \
        give the runs different names, --run \(run)=NAME
        """)
    }
    rows[row].values[key] = value
    rows[row].marks[key] = mark
  }
}
