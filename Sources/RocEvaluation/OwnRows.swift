import RocData
import RocMetrics
package import RocNames
package import RocReport
import RocStore

/// The rows that stored runs make: one for each name, with the numbers of all its runs.
package struct OwnRows {
  package private(set) var rows: [OwnRow] = []
  package private(set) var footnotes: [String] = []
  private let force: Bool
  /// Whether scores alone and scores with comments are rows of their own, as in table 5.
  private let splitsTasks: Bool
  /// The base model that all runs are listed under; each run's own when nil.
  private let base: String?

  package init(force: Bool, splitsTasks: Bool = false, base: String? = nil) {
    self.force = force
    self.splitsTasks = splitsTasks
    self.base = base
  }

  /// Networks as table 5 calls them, by the names that runs are stored with.
  private static let bases = ["LLaVA-1.5": "LLaVA 1.5"]

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
  /// - Throws: `JobError` when they were measured by a protocol other than the table's.
  package mutating func add(
    _ stored: StoredRun, _ comments: CommentMetrics?, name: String?, keys: [OwnRow.Key]
  ) throws(JobError) {
    let number = stored.run.id ?? 0
    let manifest = try? Manifest(yaml: stored.dataset.manifest, path: stored.dataset.name)
    let known = manifest?.name ?? stored.dataset.name
    let dataset = Self.datasets[known] ?? stored.dataset.title
    let wanted = keys.filter { $0.dataset == dataset }
    guard !wanted.isEmpty else {
      let list = Set(keys.map(\.dataset)).sorted().joined(separator: ", ")
      throw JobError(
        .usage, "run \(number) is on \(stored.dataset.title), the table is on \(list)")
    }
    let admission = TableAdmission(stored, as: dataset)
    let gaps = admission.differences
    if !gaps.isEmpty, !force {
      throw JobError(
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
    let own = stored.run.backbone ?? PaperLayout.bases[0]
    let base = splitsTasks ? base ?? Self.bases[own] ?? own : PaperLayout.bases[0]
    let found = rows.firstIndex {
      $0.name == row && $0.base == base && (!splitsTasks || $0.hasComments == (comments != nil))
    }
    let place = found ?? rows.count
    if found == nil { rows.append(OwnRow(name: row, base: base)) }
    if let comments, let key = wanted.first(where: { $0.metric == "CIDEr" }) {
      try set(key, comments.cider, mark, row: place, run: number)
    }
    for target in stored.run.targets {
      let attribute = target == StoredRun.holistic ? nil : Self.attributes[target] ?? target
      // An attribute has a scale of its own: AADB's run from -1 to 1.
      let metrics = Metrics(
        stored.pairs(target: target).pairs, threshold: stored.passport(target: target).threshold)
      for key in wanted where key.attribute == attribute {
        guard let column = MetricColumn.all.first(where: { $0.title == key.metric }),
          let value = metrics[column.name]?.value
        else { continue }
        // On scales where low is good a good model's correlation may be printed without its sign.
        let shown = column.isCorrelation && !stored.dataset.higherIsBetter ? abs(value) : value
        try set(key, shown, mark, row: place, run: number)
      }
    }
  }

  private mutating func set(
    _ key: OwnRow.Key, _ value: Double, _ mark: String, row: Int, run: Int64
  ) throws(JobError) {
    guard rows[row].values[key] == nil else {
      throw JobError(
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
