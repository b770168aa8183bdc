/// Scores without score tokens: how likely each of five words is to continue the answer.
///
/// Wu et al., Q-Align, https://arxiv.org/abs/2312.17090; its OneAlign checkpoints and DeQA-Score's
/// have the network of ROC4MLLM and are read this way. Any mPLUG-Owl2 checkpoint can be.
package struct LevelScoring: Sendable, Equatable {
  /// What the picture is judged by.
  package enum Task: String, Sendable, CaseIterable {
    case aesthetics
    case quality
  }

  /// Q-Align's own code asks in two ways.
  package enum Prompt: String, Sendable, CaseIterable {
    /// "The aesthetics of the image is", as its scorer.py and its training do.
    case scorer
    /// "The image of the aesthetics is", as `model.score()` of the published checkpoints does.
    case packaged
  }

  /// What the levels are worth.
  package enum Scale: String, Sendable, CaseIterable {
    case oneToFive = "1-5"
    case zeroToOne = "0-1"
  }

  package var task: Task
  package var prompt: Prompt
  package var scale: Scale

  package init(task: Task = .aesthetics, prompt: Prompt = .scorer, scale: Scale = .oneToFive) {
    self.task = task
    self.prompt = prompt
    self.scale = scale
  }

  /// The levels, the best first.
  package static let words = ["excellent", "good", "fair", "poor", "bad"]

  /// What each word is worth, in the order of `words`.
  var worth: [Float] { scale == .oneToFive ? [5, 4, 3, 2, 1] : [1, 0.75, 0.5, 0.25, 0] }

  /// The best and the worst score.
  package var range: ClosedRange<Double> { scale == .oneToFive ? 1...5 : 0...1 }

  /// What is asked and how it is read, on one line.
  package var summary: String {
    // Part of a stored run's fingerprint: it says what is asked, however a backbone spells it.
    "levels \(scale.rawValue): USER: \(question) <|image|> ASSISTANT: \(opening)"
  }

  /// What is asked.
  package var question: String { "How would you rate the \(task.rawValue) of this image?" }

  /// How the answer begins.
  package var opening: String {
    prompt == .scorer
      ? "The \(task.rawValue) of the image is" : "The image of the \(task.rawValue) is"
  }
}
