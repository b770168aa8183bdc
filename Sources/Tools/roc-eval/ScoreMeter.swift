import RocMetrics
import RocScore
import RocScoring
import RocTool

/// The progress of scoring: pictures a second, time left, and how good the scores are so far.
struct ScoreMeter {
  private var progress: Progress
  private var done = 0
  private var pairs = ScoredPairs()

  init(total: Int) { progress = Progress("scoring", total: total, unit: "pictures") }

  /// Shows what happens: pictures as progress, everything else as a line.
  mutating func show(_ event: ScoringEvent) {
    switch event {
    case .known(let count, let all):
      Console.note("\(count) of \(all) pictures are scored already")
      progress = Progress("scoring", total: all - count, unit: "pictures")
    case .changed(let count):
      Console.note("\(count) pictures have changed since they were scored; they are scored again")
    case .score(let score, let truth): add(score, truth: truth)
    case .done(let score, let truth):
      done += 1
      if let score { add(score, truth: truth) }
      progress.update(done) { [pairs] in Self.note(pairs) }
    case .passed(let count): done += count
    case .failed(let message): note("Warning: \(message)")
    case .heldByOthers(let count):
      note("waiting for \(count) pictures that another process is scoring")
    case .takenOver(let count): note("\(count) pictures were taken over by another process")
    case .torn: note("Warning: the segment's last line was torn and is written again")
    }
  }

  private mutating func note(_ line: String) {
    finish()
    Console.note(line)
  }

  private mutating func add(_ score: Double, truth: Double) {
    pairs.predicted.append(score)
    pairs.truth.append(truth)
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
