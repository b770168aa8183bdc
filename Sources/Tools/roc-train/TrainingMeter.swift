import RocScore
import RocTool
import RocTrain

/// How a training run goes: one line on a terminal, a line now and then elsewhere.
struct TrainingMeter {
  private var progress: Progress

  init(steps: Int, from first: Int) {
    progress = Progress("training", total: steps, unit: "updates", from: first)
  }

  mutating func show(_ report: StepReport) {
    progress.update(report.step + 1) {
      func part(_ name: String, _ value: Double?) -> String {
        value.map { " \(name) \(fixed($0, 4))" } ?? ""
      }
      return """
        loss \(fixed(report.loss, 4)) (text \(fixed(report.parts.text, 4))\
        \(part("l1", report.parts.l1))\(part("ce", report.parts.ce))\
        \(part("emd", report.parts.emd))), norm \(fixed(report.gradientNorm, 2))
        """
    }
  }

  /// A line that stays.
  mutating func note(_ text: String) {
    progress.finish()
    Console.note(text)
  }

  mutating func finish() { progress.finish() }
}
