package import RocFiles
import RocMetrics
import RocReport

/// The curves of a training run, over all of its starts.
package enum TrainingCurves {
  /// Draws `losses.svg`, and `heldout.svg` where held-out records were scored more than once.
  ///
  /// - Parameters:
  ///   - reports: The reports of all updates.
  ///   - evaluations: In their order.
  ///   - folder: The training's output folder.
  /// - Throws: `FileError` when a file cannot be written.
  package static func draw(
    _ reports: [StepReport], _ evaluations: [Evaluation], into folder: String
  ) throws(FileError) {
    var total = LossCurve(name: "total")
    var parts: [String: LossCurve] = [:]
    let names = ["text", "l1", "ce", "emd"]
    for report in reports {
      total.add(step: report.step, value: report.loss)
      for (name, value) in [
        ("text", report.parts.text), ("l1", report.parts.l1), ("ce", report.parts.ce),
        ("emd", report.parts.emd),
      ] {
        guard let value else { continue }
        parts[name, default: LossCurve(name: name)].add(step: report.step, value: value)
      }
    }
    let figure = Figure.lossCurves([total] + names.compactMap { parts[$0] })
    try NewFile.write(Array(figure.svg.utf8), to: "\(folder)/losses.svg")
    let points = evaluations.compactMap { evaluation in
      evaluation.srcc.map {
        (
          step: evaluation.step, srcc: $0,
          interval: evaluation.interval.map { (low: $0.low, high: $0.high) }
        )
      }
    }
    guard points.count > 1 else { return }
    let correlation = Figure.heldOutCorrelation(points).svg
    try NewFile.write(Array(correlation.utf8), to: "\(folder)/heldout.svg")
  }
}
