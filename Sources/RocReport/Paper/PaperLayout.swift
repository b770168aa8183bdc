/// A user's own row in one of the paper's tables.
package struct OwnRow: Sendable {
  /// What one number stands for.
  package struct Key: Sendable, Hashable {
    package let dataset: String
    package let metric: String
    package let attribute: String?

    package init(_ dataset: String, _ metric: String, attribute: String? = nil) {
      self.dataset = dataset
      self.metric = metric
      self.attribute = attribute
    }
  }

  package let name: String
  package var values: [Key: Double]
  /// Marks of footnotes by number.
  package var marks: [Key: String]
  /// The base model whose block of table 5 it belongs to.
  package var base: String

  /// Whether the run wrote comments, which have a row of their own in table 5.
  package var hasComments: Bool { values.keys.contains { $0.metric == "CIDEr" } }

  package init(
    name: String, values: [Key: Double] = [:], marks: [Key: String] = [:],
    base: String = PaperLayout.bases[0]
  ) {
    self.base = base
    self.name = name
    self.values = values
    self.marks = marks
  }
}

/// The six tables of the paper, with the user's own rows.
package struct PaperLayout: Sendable {
  package static let numbers = 1...6
  static let ours = "ROC4MLLM"

  private static let captions = [
    "Comparison of 16 methods on the AVA dataset, with the bold numbers indicating the best results.",
    "Comparison on TAD66K and ICAA17K.", "The holistic results on PARA and AADB.",
    "The multi-attribute performance comparison on the AADB and PARA datasets.",
    "Results of representative MLLMs for predicting scores alone and for simultaneously predicting "
      + "scores and generating text.",
    "Ablation studies on AVA and ICAA17K.",
  ]

  let own: [OwnRow]
  /// Whether the user's rows take the place of the paper's own method.
  let replacesOurs: Bool

  /// The base models of table 5, each with a block, as the paper spells them.
  package static let bases = ["mPLUG-Owl2", "LLaVA 1.5", "Qwen2-VL"]

  package init(own: [OwnRow] = [], replacesOurs: Bool = false) {
    self.own = own
    self.replacesOurs = replacesOurs
  }

  /// What the numbers of a table stand for, for each of its columns.
  package static func keys(_ number: Int) -> [OwnRow.Key] {
    var result: [OwnRow.Key] = []
    for item in PublishedResults.table(number) where item.metric != "SPICE" {
      let key = OwnRow.Key(item.dataset, item.metric, attribute: item.attribute)
      if !result.contains(key) { result.append(key) }
    }
    return result
  }

  /// One of the tables.
  ///
  /// - Parameter number: 1 to 6.
  /// - Returns: The table; the best values of each column are found again when it is written.
  package func table(_ number: Int) -> PaperTable {
    precondition(Self.numbers.contains(number), "the paper has no table \(number)")
    var table: PaperTable
    switch number {
    case 1: table = transposed()
    case 4: table = pairs()
    case 5: table = blocks()
    case 2: table = plain(2, ["TAD66K", "ICAA17K"])
    case 3: table = plain(3, ["PARA", "AADB"])
    default: table = plain(6, ["AVA", "ICAA17K"])
    }
    table.caption = Self.captions[number - 1]
    if number == 1, !own.isEmpty {
      table.caption = table.caption.replacing(
        "16 methods", with: "\(methods(1).count) methods")
    }
    table.records = records(number)
    return table
  }

  /// The methods of a table, with the user's rows after the paper's own method, or in its place.
  func methods(_ number: Int) -> [Method] {
    var result: [Method] = []
    for (name, venue) in PublishedResults.methods(number) {
      let isOurs = name == Self.ours
      if !(isOurs && replacesOurs && !own.isEmpty) {
        result.append(Method(name: name, venue: isOurs ? "Ours" : venue, own: nil))
      }
    }
    return result + own.map { Method(name: $0.name, venue: "", own: $0) }
  }

  /// A line or column of a table.
  struct Method {
    let name: String
    let venue: String
    let own: OwnRow?

    /// As the paper prints it in tables 2 and 3.
    func title(_ number: Int) -> String {
      let printed = name == "Q-Align" && (number == 2 || number == 3) ? "QAligns" : name
      return venue.isEmpty ? printed : "\(printed) (\(venue))"
    }
  }

  /// What is printed with a value, and which values it competes with.
  struct Setting {
    let decimals: Int
    var contest: String?
    var delta: String?
  }

  func value(
    _ number: Int, _ method: Method, _ key: OwnRow.Key, _ setting: Setting
  ) -> PaperTable.Content {
    let higher = key.metric != "MAE"
    let name = setting.contest ?? "\(key.dataset) \(key.metric) \(key.attribute ?? "")"
    let competition = PaperTable.Contest(name, higherIsBetter: higher)
    if let own = method.own {
      return own.values[key].map {
        .value(
          .init(
            $0, decimals: setting.decimals, contest: competition, delta: setting.delta,
            marks: own.marks[key] ?? ""))
      } ?? .missing
    }
    let found = PublishedResults.table(number).first {
      $0.method == method.name && $0.dataset == key.dataset && $0.metric == key.metric
        && $0.attribute == key.attribute
    }
    return found.map { .value(.init($0.value, decimals: setting.decimals, contest: competition)) }
      ?? .missing
  }

  static func letter(_ metric: String) -> PaperTable.Content {
    switch metric {
    case "SRCC": .metric("S", higherIsBetter: true)
    case "PLCC": .metric("P", higherIsBetter: true)
    case "MAE": .metric("M", higherIsBetter: false)
    default: .metric("\(metric) ", higherIsBetter: true)
    }
  }

  private func records(_ number: Int) -> [PaperRecord] {
    let published = PublishedResults.table(number).filter {
      !(replacesOurs && !own.isEmpty && $0.method == Self.ours)
    }.map {
      PaperRecord(
        method: $0.method, venue: "\($0.venue) \($0.year)", dataset: $0.dataset,
        metric: $0.metric, attribute: $0.attribute ?? "",
        task: [$0.block, $0.task].compactMap { $0 }.joined(separator: ": "), value: $0.value)
    }
    let mine = own.flatMap { row in
      Self.keys(number).compactMap { key in
        row.values[key].map {
          PaperRecord(
            method: row.name, venue: "own", dataset: key.dataset, metric: key.metric,
            attribute: key.attribute ?? "", task: number == 5 ? "\(row.base) block" : "", value: $0,
            marks: row.marks[key] ?? "")
        }
      }
    }
    return published + mine
  }
}
