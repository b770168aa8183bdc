import RocScore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The loss parts of the predicted scores, and their gradients with respect to the logits of the
/// score tokens.
struct ScoreGradients {
  private let tasks: [ScoreTask]
  private let logits: [Logits]
  private let loss: ScoreLoss
  /// [score tokens] of each task.
  private(set) var distributions: [[Double]] = []
  /// Gradients with respect to the logits of the score tokens in each task's row.
  private var gradients: [[Double]] = []

  init(tasks: [ScoreTask], logits: [Logits], loss: ScoreLoss) {
    self.tasks = tasks
    self.logits = logits
    self.loss = loss
  }

  private var bins: Int { loss.axis.values.count }
  private var axis: [Double] { loss.axis.values.map(Double.init) }

  /// Reads the distributions, before the logits become gradients.
  mutating func evaluate() -> (parts: LossParts, scores: [Double]) {
    distributions = tasks.map { task in
      let last = logits[task.sample].scores(task.row)
      let top = last.max() ?? 0
      let powers = last.map { exponential($0 - top) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
    gradients = tasks.map { _ in [Double](repeating: 0, count: bins) }
    let scores = distributions.map { zip($0, axis).reduce(0) { $0 + $1.0 * $1.1 } }
    var parts = LossParts()
    guard !tasks.isEmpty else { return (parts, scores) }
    parts.l1 = smoothL1(scores)
    if tasks.allSatisfy({ $0.target != nil }) {
      parts.ce = crossEntropy()
      parts.emd = earthMover()
    }
    return (parts, scores)
  }

  /// Adds the gradients to the rows of logits' gradients.
  func add(scale: Double) {
    for (task, gradient) in zip(tasks, gradients) {
      let box = logits[task.sample]
      let start = task.row * box.columns + box.scores.lowerBound
      for i in 0..<bins { box.values[start + i] += Float(scale * gradient[i]) }
    }
  }

  /// Mean of d²/2 below a distance of 1, |d| - 1/2 above.
  private mutating func smoothL1(_ scores: [Double]) -> Double {
    var sum = 0.0
    let count = Double(tasks.count)
    for (k, task) in tasks.enumerated() {
      let distance = scores[k] - task.score
      sum += abs(distance) < 1 ? distance * distance / 2 : abs(distance) - 0.5
      let slope = loss.weights.l1 * min(max(distance, -1), 1) / count
      guard slope != 0 else { continue }
      for i in 0..<bins {
        gradients[k][i] += slope * distributions[k][i] * (axis[i] - scores[k])
      }
    }
    return sum / count
  }

  /// Mean over the scores of -Σ target · log distribution.
  private mutating func crossEntropy() -> Double {
    var sum = 0.0
    let count = Double(tasks.count)
    for (k, task) in tasks.enumerated() {
      guard let target = task.target else { continue }
      // From the logits, since a distribution may hold zeros.
      let last = logits[task.sample].scores(task.row)
      let top = last.max() ?? 0
      let whole = log(last.reduce(0) { $0 + exponential($1 - top) }) + top
      let weight = target.reduce(0, +)
      for i in 0..<bins {
        sum -= target[i] * (last[i] - whole)
        gradients[k][i] +=
          loss.weights.ce * (weight * distributions[k][i] - target[i]) / count
      }
    }
    return sum / count
  }

  /// The root mean square of the cumulative differences.
  ///
  /// At an exact fit, where the root has no derivative and the official code gives NaN, the
  /// gradient is 0.
  private mutating func earthMover() -> Double {
    let gaps = tasks.indices.map { k in
      var gap = 0.0
      return (0..<bins).map { i in
        gap += distributions[k][i] - (tasks[k].target?[i] ?? 0)
        return gap
      }
    }
    let squares = gaps.map { $0.reduce(0) { $0 + $1 * $1 } }
    switch loss.reduction {
    case .batch:
      let size = Double(tasks.count * bins)
      let distance = (squares.reduce(0, +) / size).squareRoot()
      for k in tasks.indices { addEarthMover(gaps[k], k, divisor: size * distance) }
      return distance
    case .image:
      let distances = squares.map { ($0 / Double(bins)).squareRoot() }
      for k in tasks.indices {
        addEarthMover(
          gaps[k], k, divisor: Double(tasks.count) * Double(bins) * distances[k])
      }
      return distances.reduce(0, +) / Double(tasks.count)
    }
  }

  private mutating func addEarthMover(_ gaps: [Double], _ k: Int, divisor: Double) {
    guard divisor > 0, loss.weights.emd != 0 else { return }
    // A probability is part of every cumulative sum from its own place on.
    var slopes = [Double](repeating: 0, count: bins)
    var rest = 0.0
    for i in (0..<bins).reversed() {
      rest += gaps[i] / divisor
      slopes[i] = loss.weights.emd * rest
    }
    let mean = zip(slopes, distributions[k]).reduce(0) { $0 + $1.0 * $1.1 }
    for i in 0..<bins { gradients[k][i] += distributions[k][i] * (slopes[i] - mean) }
  }
}
