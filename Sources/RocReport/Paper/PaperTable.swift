import RocScore

/// A table of results whose best values are found among the printed ones.
///
/// One model serves all layouts: rows of cells, some spanning several columns, with rules between.
package struct PaperTable: Sendable {
  /// What a value competes with: the best of all values with the same contest is bold.
  package struct Contest: Sendable, Hashable {
    package let name: String
    package let higherIsBetter: Bool

    package init(_ name: String, higherIsBetter: Bool) {
      self.name = name
      self.higherIsBetter = higherIsBetter
    }
  }

  package struct Value: Sendable {
    package let number: Double
    package let decimals: Int
    package let contest: Contest?
    /// Printed after the value, such as `(+0.4%)`.
    package var delta: String?
    /// Footnote marks.
    package var marks = ""

    package init(
      _ number: Double, decimals: Int, contest: Contest?, delta: String? = nil, marks: String = ""
    ) {
      self.number = number
      self.decimals = decimals
      self.contest = contest
      self.delta = delta
      self.marks = marks
    }

    /// What is printed and compared: a tie in print is a tie.
    package var printed: String {
      let text = fixed(number, decimals)
      return Double(text) == 0 ? fixed(0, decimals) : text
    }
  }

  package enum Content: Sendable {
    case text(String)
    /// A metric's letter with the arrow of its direction.
    case metric(String, higherIsBetter: Bool)
    case value(Value)
    /// No number was published or measured.
    case missing
    case empty
  }

  package struct Cell: Sendable {
    package let content: Content
    /// Columns that it spans.
    package let span: Int
    /// Whether a line stands below it, as below the name of a group of columns.
    package let isUnderlined: Bool

    package init(_ content: Content, span: Int = 1, isUnderlined: Bool = false) {
      self.content = content
      self.span = span
      self.isUnderlined = isUnderlined
    }
  }

  package enum Line: Sendable {
    case header([Cell])
    case row([Cell])
    case rule
    /// A little space, as between methods that take two lines.
    case gap
  }

  package var caption: String
  package var label: String
  /// Whether it spans both columns of a page.
  package var isWide: Bool
  package var columns: Int
  package var lines: [Line]
  package var footnotes: [String] = []
  /// What each value is, for CSV.
  package var records: [PaperRecord] = []

  package init(
    caption: String, label: String, isWide: Bool, columns: Int, lines: [Line]
  ) {
    self.caption = caption
    self.label = label
    self.isWide = isWide
    self.columns = columns
    self.lines = lines
  }

  /// How a value stands in its contest.
  enum Rank {
    case plain
    case best
    case second
  }

  /// The best and the second-best printed value of each contest with at least two values; equal
  /// printed values share a place.
  struct Ranking {
    fileprivate let best: [Contest: String]
    fileprivate let second: [Contest: String]

    func rank(of value: Value) -> Rank {
      guard let contest = value.contest else { return .plain }
      if best[contest] == value.printed { return .best }
      return second[contest] == value.printed ? .second : .plain
    }
  }

  /// - Parameter marksSecond: Whether second-best values have a rank.
  /// - Returns: The ranks of the table's values.
  func ranking(marksSecond: Bool) -> Ranking {
    var values: [Contest: Set<String>] = [:]
    var counts: [Contest: Int] = [:]
    for line in lines {
      guard case .row(let cells) = line else { continue }
      for cell in cells {
        guard case .value(let value) = cell.content, let contest = value.contest else { continue }
        values[contest, default: []].insert(value.printed)
        counts[contest, default: 0] += 1
      }
    }
    var best: [Contest: String] = [:]
    var second: [Contest: String] = [:]
    for (contest, texts) in values where counts[contest, default: 0] > 1 {
      let sorted = texts.sorted {
        let (a, b) = (Double($0) ?? 0, Double($1) ?? 0)
        return contest.higherIsBetter ? a > b : a < b
      }
      best[contest] = sorted.first
      if sorted.count > 1 { second[contest] = sorted[1] }
    }
    return Ranking(best: best, second: marksSecond ? second : [:])
  }
}

/// One number of a table with what it is.
package struct PaperRecord: Sendable, Equatable {
  package let method: String
  package let venue: String
  package let dataset: String
  package let metric: String
  package let attribute: String
  package let task: String
  package let value: Double
  /// First letters of the footnotes about it.
  package let marks: String

  package init(
    method: String, venue: String, dataset: String, metric: String, attribute: String,
    task: String, value: Double, marks: String = ""
  ) {
    self.method = method
    self.venue = venue
    self.dataset = dataset
    self.metric = metric
    self.attribute = attribute
    self.task = task
    self.value = value
    self.marks = marks
  }
}
