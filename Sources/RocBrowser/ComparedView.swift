import RocEvaluation
import RocMetrics
import RocNames
import RocStore

/// Two runs on the pictures that both have scored.
struct ComparedView: Sendable {
  /// A picture and both scores.
  struct Line: Sendable {
    let sample: SampleRecord
    let first: Double
    let second: Double

    var difference: Double { first - second }
  }

  /// The metrics of both and their differences, or why they cannot be compared.
  let pair: Result<ComparedPair, JobError>
  /// Differences in how the runs were made.
  let variations: [String]
  /// The largest disagreements first.
  let lines: [Line]

  private static let most = 500

  init(_ left: StoredRun, _ right: StoredRun) {
    let compared = Result { () throws(JobError) in
      let first = try ComparedResult(left, target: StoredRun.holistic)
      let second = try ComparedResult(right, target: StoredRun.holistic)
      let pair = try ComparedPair(
        first, second, threshold: left.dataset.threshold, RunViews.resampling)
      return (pair, first.variations(from: second))
    }
    pair = compared.map(\.0)
    variations = (try? compared.get().1) ?? []
    let other = Dictionary(
      uniqueKeysWithValues: right.lines.compactMap { line in
        line.scores.first.map { (line.sample.id, $0) }
      })
    let both = left.lines.compactMap { line -> Line? in
      guard let own = line.scores.first, let theirs = other[line.sample.id] else { return nil }
      return Line(sample: line.sample, first: own, second: theirs)
    }
    lines = Array(
      both.sorted {
        (abs($1.difference), $0.sample.id) < (abs($0.difference), $1.sample.id)
      }.prefix(Self.most))
  }
}
