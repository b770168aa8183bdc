import RocJSON
import RocMetrics
import RocNames
package import RocScore
package import RocStore

/// Writes samples as Q-Align's or DeQA-Score's records.
package struct LevelExport: Sendable {
  /// Whose records.
  package enum Form: Sendable, Equatable {
    case qalign
    case deqa(SoftLabel.Density)
  }

  private let form: Form
  private let task: LevelTask
  private let questions: [String]
  private let bins: DatasetRecord.Bins?
  private let higherIsBetter: Bool
  /// The scores between which the five levels lie.
  package let range: ScoreRange
  private let deviations: [Int64: Double]
  private let isUpstream: Bool

  /// - Parameters:
  ///   - dataset: Says which bins votes have and whether a high score is good.
  ///   - form: Whose records.
  ///   - task: What is asked.
  ///   - questions: Taken in turn; the task's own when empty.
  ///   - range: The scores between which the levels lie.
  ///   - deviations: Of the raters, where the dataset publishes them instead of votes.
  ///   - isUpstream: Keeps DeQA-Score's formula where it gives 0.2 five times.
  package init(
    dataset: DatasetRecord, form: Form, task: LevelTask, questions: [String], range: ScoreRange,
    deviations: [Int64: Double], isUpstream: Bool = false
  ) {
    self.isUpstream = isUpstream
    self.form = form
    self.task = task
    self.questions = questions.isEmpty ? task.questions : questions
    self.range = range
    self.deviations = deviations
    bins = dataset.bins
    higherIsBetter = dataset.higherIsBetter
  }

  /// What the levels of a split lose.
  package struct Loss: Sendable {
    /// Pictures outside the range, which got the nearest level.
    package let outside: Int
    /// Rank and linear correlation of the levels with gt_score; nil where it is undefined.
    package let srcc: Double?
    package let plcc: Double?
    /// Labels of two neighbouring levels only.
    package let binary: Int
    /// Labels at the middle of the scale, where the upstream formula has a hole.
    package let central: Int
  }

  /// A score's level; the best pictures are excellent whichever way the scale runs.
  package func level(_ score: Double) -> QualityLevel {
    let level = QualityLevel(score, in: range)
    return higherIsBetter ? level : level.reversed
  }

  /// The votes, whose mean DeQA-Score's algorithm takes as the score; nil where there are none.
  private func histogram(_ sample: SampleRecord) -> VoteHistogram? {
    guard let bins, let votes = sample.votes else { return nil }
    return VoteHistogram(counts: votes, first: bins.first, step: bins.step)
  }

  /// Whether a form can take a sample: where the scale of the votes is not that of gt_score, a
  /// picture without votes has no score on the scale of the others.
  package static func takes(_ sample: SampleRecord, form: Form, dataset: DatasetRecord) -> Bool {
    guard case .deqa = form, let bins = dataset.bins, sample.votes == nil else { return true }
    let last = bins.first + Double(bins.count - 1) * bins.step
    return bins.first == dataset.range.low && last == dataset.range.high
  }

  /// The scores whose minimum and maximum bound the levels of a form.
  package static func scores(
    _ samples: [SampleRecord], form: Form, dataset: DatasetRecord
  ) -> [Double] {
    samples.map { sample in
      guard case .deqa = form, let bins = dataset.bins, let votes = sample.votes else {
        return sample.score
      }
      return VoteHistogram(counts: votes, first: bins.first, step: bins.step).mean ?? sample.score
    }
  }

  /// A JSON array, one record a line.
  ///
  /// - Parameters:
  ///   - samples: The split.
  ///   - isTest: Records of test parts hold no conversation.
  /// - Returns: The file and what the levels lose.
  package func array(_ samples: [SampleRecord], isTest: Bool) -> (bytes: [UInt8], loss: Loss) {
    var bytes: [UInt8] = Array("[".utf8)
    var levels: [Double] = []
    var scores: [Double] = []
    var outside = 0
    var binary = 0
    var central = 0
    for (i, sample) in samples.enumerated() {
      bytes.append(contentsOf: (i == 0 ? "\n" : ",\n").utf8)
      let score = histogram(sample).flatMap { form == .qalign ? nil : $0.mean } ?? sample.score
      if !range.contains(score) { outside += 1 }
      var level = level(score)
      levels.append(Double(level.rawValue))
      scores.append(score)
      var record: [JSON.Member] = []
      if !isTest || form != .qalign {
        record.append(.init("id", .string("\(sample.baseName)->\(score)")))
      }
      record.append(.init("image", .string(sample.key.text)))
      record.append(.init("gt_score", .double(score)))
      if case .deqa(let density) = form {
        // Five levels cannot say more than their ends; they run from the worst to the best.
        let within = min(max(score, range.low), range.high)
        let label = SoftLabel(
          score: higherIsBetter ? within : range.low + range.high - within,
          deviation: histogram(sample)?.sampleDeviation ?? deviations[sample.id], range: range,
          density: density, isUpstream: isUpstream)
        if label.isBinary { binary += 1 }
        if label.isCentral { central += 1 }
        level = label.level
        let deviation = histogram(sample)?.sampleDeviation ?? deviations[sample.id]
        record += Self.members(label, deviation: deviation, isTest: isTest)
      }
      if !isTest {
        let question = questions[i % questions.count] + "\n" + ConversationExport.mark
        record.append(
          .init(
            "conversations",
            [
              ["from": "human", "value": .string(question)],
              ["from": "gpt", "value": .string(task.answer(level))],
            ]))
      }
      JSON.object(record).write(into: &bytes)
    }
    bytes.append(contentsOf: "\n]\n".utf8)
    let loss = Loss(
      outside: outside, srcc: Correlation.spearman(levels, scores),
      plcc: Correlation.pearson(levels, scores),
      binary: binary, central: central)
    return (bytes, loss)
  }

  private static func members(
    _ label: SoftLabel, deviation: Double?, isTest: Bool
  ) -> [JSON.Member] {
    var result: [JSON.Member] = [.init("gt_score_norm", .double(label.score))]
    if !isTest {
      if let original = label.original { result.append(.init("level_probs_org", JSON(original))) }
      result.append(.init("level_probs", JSON(label.probabilities)))
    }
    if let deviation, let scaled = label.deviation {
      result.append(.init("std", .double(deviation)))
      result.append(.init("std_norm", .double(scaled)))
    }
    return result
  }
}
