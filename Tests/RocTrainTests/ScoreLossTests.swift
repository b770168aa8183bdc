import Foundation
import RocScore
import RocTestSupport
import RocTrain
import Testing

/// The loss and its gradient against the paper's equation 6 in double and its finite differences.
struct ScoreLossTests {
  /// Logits of a batch, what they are to predict and the scores among them.
  struct Batch {
    /// Tokens and, the last of them, score tokens.
    var vocabulary = 19
    var axis = ScoreAxis(low: 1, high: 5, count: 5)
    /// [taught tokens][vocabulary] of each sample.
    var logits: [[[Float]]]
    var labels: [[Int]]
    var tasks: [ScoreTask]

    /// Three samples of 3, 1 and 4 taught tokens with one, no and two scores.
    init(target: Bool = true, sum: Double = 1) {
      var state: UInt32 = 7
      func number() -> Float {
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) / 0x1p30
      }
      let vocabulary = vocabulary
      logits = [3, 1, 4].map { rows in
        (0..<rows).map { _ in (0..<vocabulary).map { _ in number() } }
      }
      // The first and the last token of the vocabulary are taught too.
      labels = [[4, 18, 13], [0], [13, 7, 13, 2]]
      tasks = [(0, 2, 4.2), (2, 0, 1.0), (2, 2, 3.1)].enumerated().map { i, place in
        let votes = (0..<5).map { 0.05 + Double(($0 * 3 + i) % 5) }
        let whole = votes.reduce(0, +)
        return ScoreTask(
          sample: place.0, row: place.1, score: place.2,
          target: target ? votes.map { $0 / whole * sum } : nil)
      }
    }

    /// Runs the loss: its result, and the gradients where logits were.
    func run(_ loss: ScoreLoss, scale: Double = 1) -> (result: ScoreLoss.Result, d: [[[Float]]]) {
      let boxes = logits.map {
        Logits(
          rows: $0.count, columns: vocabulary, $0.flatMap { $0 },
          scores: vocabulary - axis.values.count..<vocabulary)
      }
      let result = loss(boxes, labels: labels, tasks: tasks, scale: scale)
      return (result, boxes.map { box in (0..<box.rows).map { box.row($0) } })
    }
  }

  static func softmax(_ x: [Double]) -> [Double] {
    let powers = x.map { exp($0) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  static func reference(_ batch: Batch, _ loss: ScoreLoss, _ logits: [[[Double]]]) -> LossParts {
    var parts = LossParts()
    let rows = zip(logits, batch.labels).flatMap { zip($0, $1) }
    parts.text = rows.reduce(0) { $0 - log(softmax($1.0)[$1.1]) } / Double(rows.count)
    let bins = batch.axis.values.count
    let count = Double(batch.tasks.count)
    let distributions = batch.tasks.map { softmax(logits[$0.sample][$0.row].suffix(bins)) }
    parts.l1 = zip(batch.tasks, distributions).reduce(0) { sum, pair in
      let score = zip(pair.1, batch.axis.values).reduce(0) { $0 + $1.0 * Double($1.1) }
      let distance = abs(score - pair.0.score)
      return sum + (distance < 1 ? distance * distance / 2 : distance - 0.5) / count
    }
    let targets = batch.tasks.compactMap(\.target)
    guard targets.count == batch.tasks.count else { return parts }
    var (entropy, squares) = (0.0, [Double]())
    for (distribution, target) in zip(distributions, targets) {
      var (gap, square) = (0.0, 0.0)
      for (p, t) in zip(distribution, target) {
        entropy -= t * log(p) / count
        gap += p - t
        square += gap * gap
      }
      squares.append(square)
    }
    parts.ce = entropy
    switch loss.reduction {
    case .batch:
      parts.emd = (squares.reduce(0, +) / (count * Double(bins))).squareRoot()
    case .image:
      parts.emd = squares.reduce(0) { $0 + ($1 / Double(bins)).squareRoot() } / count
    }
    return parts
  }

  /// Holds the parts of a loss and its gradient against the plain formula.
  static func check(
    _ batch: Batch, _ loss: ScoreLoss, scale: Double = 1, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let wide = batch.logits.map { $0.map { $0.map(Double.init) } }
    let (result, gradients) = batch.run(loss, scale: scale)
    let expected = reference(batch, loss, wide)
    for (found, expected) in [
      (result.parts.text, expected.text), (result.parts.l1, expected.l1),
      (result.parts.ce, expected.ce), (result.parts.emd, expected.emd),
    ] as [(Double?, Double?)] {
      #expect((found == nil) == (expected == nil), "\(what)", sourceLocation: sourceLocation)
      #expect(
        abs((found ?? 0) - (expected ?? 0)) <= 1e-12 * (1 + abs(expected ?? 0)), "\(what)",
        sourceLocation: sourceLocation)
    }
    for (sample, rows) in wide.enumerated() {
      for (row, values) in rows.enumerated() {
        for i in values.indices {
          func total(_ moved: Double) -> Double {
            var logits = wide
            logits[sample][row][i] += moved
            return reference(batch, loss, logits).total(loss.weights)
          }
          let step = 1e-3
          let slope =
            (8 * (total(step) - total(-step)) - (total(2 * step) - total(-2 * step))) / (12 * step)
          let found = Double(gradients[sample][row][i])
          // Rounded to float32 twice: the text's part, then the sum. Differences err by 1e-11.
          let bound = 3 * 0x1p-24 * (abs(scale * slope) + scale) + 1e-10
          #expect(
            abs(found - scale * slope) <= bound,
            "\(what): sample \(sample), row \(row), logit \(i)",
            sourceLocation: sourceLocation)
        }
      }
    }
  }

  static func loss(
    _ l1: Double, _ ce: Double, _ emd: Double, _ reduction: ScoreLoss.EMDReduction = .batch
  ) -> ScoreLoss {
    ScoreLoss(
      axis: ScoreAxis(low: 1, high: 5, count: 5), weights: LossWeights(l1: l1, ce: ce, emd: emd),
      reduction: reduction)
  }

  @Test(arguments: ScoreLoss.EMDReduction.allCases)
  func theGradientIsTheDerivative(_ reduction: ScoreLoss.EMDReduction) {
    for (l1, ce, emd) in [(0.0, 0.0, 0.0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 2, 3)] {
      Self.check(Batch(), Self.loss(l1, ce, emd, reduction), "weights \(l1), \(ce), \(emd)")
    }
  }

  @Test(arguments: ScoreLoss.EMDReduction.allCases)
  func aTargetNeedNotSumToOne(_ reduction: ScoreLoss.EMDReduction) {
    for sum in [0.5, 7] { Self.check(Batch(sum: sum), Self.loss(1, 1, 1, reduction), "sum \(sum)") }
  }

  @Test func scoresNeedNoTarget() {
    Self.check(Batch(target: false), Self.loss(1, 0, 0), "no targets")
    // One score without a target: the whole batch has none.
    var batch = Batch()
    let last = batch.tasks[2]
    batch.tasks[2] = ScoreTask(sample: last.sample, row: last.row, score: last.score, target: nil)
    Self.check(batch, Self.loss(1, 0, 0), "a target missing")
    #expect(batch.run(Self.loss(1, 1, 1)).result.parts.emd == nil)
  }

  @Test func textAloneHasNoOtherParts() {
    var batch = Batch()
    batch.tasks = []
    let (result, gradients) = batch.run(Self.loss(1, 1, 1))
    #expect(result.parts.l1 == nil && result.parts.ce == nil && result.parts.emd == nil)
    #expect(result.scores.isEmpty && result.parts.total(LossWeights(l1: 1, ce: 1, emd: 1)) > 0)
    // Weights of 0 leave the text's gradient alone, whatever the scores.
    #expect(Batch().run(Self.loss(0, 0, 0)).d == gradients)
    for row in gradients.joined() {
      #expect(abs(row.reduce(0) { $0 + Double($1) }) <= 19 * 0x1p-24)
    }
  }

  /// Below a distance of 1 the slope is the distance, above it is 1.
  @Test func smoothL1BendsAtOne() {
    let scores = Batch().run(Self.loss(1, 0, 0)).result.scores
    for distance in [-3.0, -1, -0.999, 1e-6, 0.999, 1, 1.001, 2.5] {
      var batch = Batch()
      for (i, task) in batch.tasks.enumerated() {
        batch.tasks[i] = ScoreTask(
          sample: task.sample, row: task.row, score: scores[i] - distance, target: task.target)
      }
      // By hand, since differences across the bend are no derivative.
      let (result, gradients) = batch.run(Self.loss(1, 0, 0))
      let expected = abs(distance) < 1 ? distance * distance / 2 : abs(distance) - 0.5
      #expect(abs((result.parts.l1 ?? 0) - expected) <= 1e-14 * (1 + expected))
      let plain = batch.run(Self.loss(0, 0, 0)).d
      let slope = min(max(distance, -1), 1) / 3
      for (i, task) in batch.tasks.enumerated() {
        for bin in 0..<5 {
          let value = Double(batch.axis.values[bin])
          let added = slope * result.distributions[i][bin] * (value - scores[i])
          let place = batch.vocabulary - 5 + bin
          let found = Double(gradients[task.sample][task.row][place])
          let text = Double(plain[task.sample][task.row][place])
          #expect(abs(found - text - added) <= 3 * 0x1p-24 * (abs(text) + abs(added)) + 1e-15)
        }
      }
    }
  }

  @Test func scoresThatAreRightAddNothing() {
    var batch = Batch()
    let scores = batch.run(Self.loss(1, 0, 0)).result.scores
    for (i, task) in batch.tasks.enumerated() {
      batch.tasks[i] = ScoreTask(
        sample: task.sample, row: task.row, score: scores[i], target: task.target)
    }
    let (result, gradients) = batch.run(Self.loss(1, 0, 0))
    #expect(result.parts.l1 == 0)
    #expect(gradients == batch.run(Self.loss(0, 0, 0)).d)
  }

  /// Where the official code divides by a distance of 0.
  @Test(arguments: ScoreLoss.EMDReduction.allCases)
  func distributionsThatAreRightHaveNoDistance(_ reduction: ScoreLoss.EMDReduction) {
    var batch = Batch()
    let found = batch.run(Self.loss(0, 0, 0)).result.distributions
    for (i, task) in batch.tasks.enumerated() {
      batch.tasks[i] = ScoreTask(
        sample: task.sample, row: task.row, score: task.score, target: found[i])
    }
    let (result, gradients) = batch.run(Self.loss(0, 0, 1, reduction))
    #expect(result.parts.emd == 0 && result.parts.isFinite)
    #expect(gradients == batch.run(Self.loss(0, 0, 0)).d)
    // The cross-entropy is at its minimum there.
    let both = batch.run(Self.loss(0, 1, 1, reduction)).d
    for (a, b) in zip(both.joined().joined(), gradients.joined().joined()) {
      #expect(abs(a - b) <= 1e-7)
    }
  }

  /// Logits that are logarithms of the target, rounded to float32, or a uniform target's zeros.
  @Test(arguments: ScoreLoss.EMDReduction.allCases)
  func logarithmsOfTheTargetFit(_ reduction: ScoreLoss.EMDReduction) {
    var batch = Batch()
    for task in batch.tasks {
      for (bin, share) in (task.target ?? []).enumerated() {
        batch.logits[task.sample][task.row][14 + bin] = Float(log(share))
      }
    }
    let (result, gradients) = batch.run(Self.loss(1, 1, 1, reduction))
    #expect((result.parts.emd ?? 1) <= 1e-6)
    #expect(gradients.joined().joined().allSatisfy { $0.isFinite && abs($0) <= 2 })

    for task in batch.tasks {
      for bin in 0..<5 { batch.logits[task.sample][task.row][14 + bin] = 0 }
    }
    batch.tasks = batch.tasks.map {
      ScoreTask(
        sample: $0.sample, row: $0.row, score: 3, target: [Double](repeating: 0.2, count: 5))
    }
    let uniform = batch.run(Self.loss(0, 0, 1, reduction))
    #expect(uniform.result.parts.emd == 0)
    #expect(uniform.d == batch.run(Self.loss(0, 0, 0)).d)
  }

  /// One of two scores fits: the other's distance has its gradient.
  @Test(arguments: ScoreLoss.EMDReduction.allCases)
  func oneFitDoesNotHideTheOthers(_ reduction: ScoreLoss.EMDReduction) {
    var batch = Batch()
    let first = batch.tasks[0]
    batch.tasks[0] = ScoreTask(
      sample: first.sample, row: first.row, score: first.score,
      target: batch.run(Self.loss(0, 0, 0)).result.distributions[0])
    let plain = batch.run(Self.loss(0, 0, 0)).d
    let gradients = batch.run(Self.loss(0, 0, 1, reduction)).d
    #expect(gradients[0] == plain[0])
    #expect(gradients[2][0] != plain[2][0] && gradients[2][2] != plain[2][2])
    #expect(gradients.joined().joined().allSatisfy { $0.isFinite })
    // The batch's root is smooth there, since it covers all scores.
    if reduction == .batch { Self.check(batch, Self.loss(1, 1, 1, reduction), "one fit") }
  }

  @Test func accumulationScalesGradientsAlone() {
    let loss = Self.loss(0.5, 2, 3)
    Self.check(Batch(), loss, scale: 0.3, "scaled")
    let whole = Batch().run(loss)
    let quarter = Batch().run(loss, scale: 0.25)
    #expect(quarter.result.parts == whole.result.parts)
    #expect(quarter.result.scores == whole.result.scores)
    // A quarter is exact in float32.
    #expect(quarter.d == whole.d.map { $0.map { $0.map { $0 * 0.25 } } })
  }

  /// Logits far apart: exp of the differences under- and overflows if it is not taken from the top.
  @Test func largeLogitsAreFinite() {
    var batch = Batch()
    for sample in batch.logits.indices {
      for row in batch.logits[sample].indices {
        for i in 0..<batch.vocabulary { batch.logits[sample][row][i] *= 900 }
      }
    }
    for reduction in ScoreLoss.EMDReduction.allCases {
      let (result, gradients) = batch.run(Self.loss(1, 1, 1, reduction))
      #expect(result.parts.isFinite)
      #expect(gradients.joined().joined().allSatisfy { $0.isFinite })
    }
  }
}
