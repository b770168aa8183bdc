import RocMetrics
import RocScore
import RocTool

/// The progress of scoring: pictures a second, time left, and how good the scores are so far.
struct ScoreMeter {
  private var progress: Progress
  private var done = 0
  private var pairs = ScoredPairs()

  init(total: Int, range: ScoreRange) {
    progress = Progress("scoring", total: total, unit: "pictures")
  }

  /// A picture whose score is known already.
  mutating func add(_ score: Double, truth: Double) {
    pairs.predicted.append(score)
    pairs.truth.append(truth)
  }

  /// Pictures that this process does not score.
  mutating func skip(_ count: Int) { done += count }

  mutating func done(_ score: Double?, truth: Double) {
    done += 1
    if let score { add(score, truth: truth) }
    progress.update(done) { [pairs] in Self.note(pairs) }
  }

  mutating func finish() { progress.finish() }

  /// `SRCC 0.812 [0.79, 0.83]`.
  private static func note(_ pairs: ScoredPairs) -> String {
    guard pairs.count >= 10, let srcc = Correlation.spearman(pairs.predicted, pairs.truth) else {
      return ""
    }
    let interval = Interval.spearman(srcc, count: pairs.count).map {
      " [\(fixed($0.low, 2)), \(fixed($0.high, 2))]"
    }
    return "SRCC \(fixed(srcc, 3))\(interval ?? "")"
  }
}
