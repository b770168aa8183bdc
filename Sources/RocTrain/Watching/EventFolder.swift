import RocFiles

/// A training run as TensorBoard shows it.
struct EventFolder {
  private let file: EventFile

  /// - Throws: `TrainingError` when the folder cannot be written to.
  init(_ folder: String, from step: Int) throws(TrainingError) {
    do throws(FileError) {
      file = try EventFile(folder: folder, startingAt: step)
    } catch {
      throw .output(error.description)
    }
  }

  func add(_ report: StepReport) throws(TrainingError) {
    try add(
      [
        ("train/loss", report.loss), ("train/loss_text", report.parts.text),
        ("train/loss_l1", report.parts.l1), ("train/loss_ce", report.parts.ce),
        ("train/loss_emd", report.parts.emd), ("train/learning_rate", report.learningRate),
        ("train/grad_norm", report.gradientNorm), ("train/epoch", report.epoch),
      ], step: report.step)
  }

  func add(_ evaluation: Evaluation) throws(TrainingError) {
    try add(
      [
        ("eval/srcc", evaluation.srcc), ("eval/plcc", evaluation.plcc),
        ("eval/mae", evaluation.mae),
      ], step: evaluation.step)
  }

  private func add(_ values: [(tag: String, value: Double?)], step: Int) throws(TrainingError) {
    let scalars = values.compactMap { item in
      item.value.map { (tag: item.tag, value: Float($0)) }
    }
    do throws(FileError) {
      try file.add(step: step, scalars: scalars)
    } catch {
      throw .output(error.description)
    }
  }
}
