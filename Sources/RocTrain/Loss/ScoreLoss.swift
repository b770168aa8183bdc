package import RocScore
import RocTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How much each part of the loss counts beside the text's cross-entropy.
package struct LossWeights: Sendable, Equatable {
  /// Of SmoothL1 between score and gt_score.
  package var l1: Double
  /// Of the cross-entropy between distribution and target.
  package var ce: Double
  /// Of the earth mover's distance between distribution and target.
  package var emd: Double

  package init(l1: Double, ce: Double, emd: Double) {
    self.l1 = l1
    self.ce = ce
    self.emd = emd
  }

  /// Whether `target` has to be there.
  package var needTarget: Bool { ce > 0 || emd > 0 }
}

/// The parts of a loss, unweighted; nil where a batch has nothing for them.
package struct LossParts: Sendable, Equatable {
  package var text = 0.0
  package var l1: Double?
  package var ce: Double?
  package var emd: Double?

  package init() {}

  /// text + l1_weight · l1 + ce_weight · ce + emd_weight · emd (paper, equation 6).
  package func total(_ weights: LossWeights) -> Double {
    text + weights.l1 * (l1 ?? 0) + weights.ce * (ce ?? 0) + weights.emd * (emd ?? 0)
  }

  package var isFinite: Bool {
    [text, l1 ?? 0, ce ?? 0, emd ?? 0].allSatisfy(\.isFinite)
  }
}

/// One predicted score and what it should be.
package struct ScoreTask: Sendable {
  /// Which `Logits` of the batch, and which of its rows.
  package let sample: Int
  package let row: Int
  package let score: Double
  /// [score tokens], or nil.
  package let target: [Double]?

  package init(sample: Int, row: Int, score: Double, target: [Double]?) {
    self.sample = sample
    self.row = row
    self.score = score
    self.target = target
  }
}

/// The loss of ROC4MLLM's training (equation 6) over one batch, and its derivative.
///
/// As the official code computes it: text cross-entropy is the mean over all taught tokens of the
/// batch, over the whole vocabulary; the other parts see only the score tokens' logits (there the
/// last N) of the rows that predict `[SCORE]`; SmoothL1 has beta 1; the target is not normalised.
/// Sums are taken in double precision, so they agree on all CPUs.
package struct ScoreLoss: Sendable {
  /// One root over all scores and bins of the batch, as in the official code, or one for each
  /// score, whose mean is taken.
  package enum EMDReduction: String, Sendable, CaseIterable {
    case batch
    case image
  }

  package let axis: ScoreAxis
  package let weights: LossWeights
  package let reduction: EMDReduction

  package init(axis: ScoreAxis, weights: LossWeights, reduction: EMDReduction = .batch) {
    self.axis = axis
    self.weights = weights
    self.reduction = reduction
  }

  /// The loss of a batch and what was predicted.
  package struct Result: Sendable {
    package var parts: LossParts
    /// The predicted score of each task.
    package var scores: [Double]
    /// The predicted distribution of each task, [score tokens].
    package var distributions: [[Double]]
  }

  /// Computes the loss of a batch and turns its logits into their gradients.
  ///
  /// - Parameters:
  ///   - logits: One box a sample: [taught tokens, vocabulary].
  ///   - labels: What each row is to predict; none for rows whose text is not taught.
  ///   - tasks: The rows that predict `[SCORE]`, in the order of batch and text.
  ///   - scale: Factor of the gradients, 1 / accumulation steps.
  /// - Returns: The parts, scores and distributions.
  package func callAsFunction(
    _ logits: [Logits], labels: [[Int]], tasks: [ScoreTask], scale: Double = 1
  ) -> Result {
    var gradients = ScoreGradients(tasks: tasks, logits: logits, loss: self)
    let score = gradients.evaluate()
    var parts = score.parts
    let taught = labels.reduce(0) { $0 + $1.count }
    var text = 0.0
    for (box, labels) in zip(logits, labels) {
      if labels.isEmpty { box.clear() }
      for (row, label) in labels.enumerated() {
        text += box.withRow(row) {
          Self.crossEntropy($0, label: label, factor: scale / Double(taught))
        }
      }
    }
    parts.text = taught > 0 ? text / Double(taught) : 0
    gradients.add(scale: scale)
    return Result(
      parts: parts, scores: score.scores, distributions: gradients.distributions)
  }

  /// -log softmax(row)[label]; the row becomes factor · (softmax - one-hot).
  private static func crossEntropy(
    _ row: UnsafeMutableBufferPointer<Float>, label: Int, factor: Double
  ) -> Double {
    let count = row.count
    var largest = row[0]
    for i in 1..<count where row[i] > largest { largest = row[i] }
    let top = Double(largest)
    var sum = 0.0
    for i in 0..<count { sum += exponential(Double(row[i]) - top) }
    let loss = log(sum) + top - Double(row[label])
    for i in 0..<count {
      let probability = exponential(Double(row[i]) - top) / sum
      row[i] = Float(factor * (i == label ? probability - 1 : probability))
    }
    return loss
  }
}
