import RocCheckpoint
import RocFiles
package import RocJSON

extension StepReport {
  /// One line of the step log and of `--jsonl`.
  package var json: JSON {
    func value(_ part: Double?) -> JSON { part.map { .double($0) } ?? .null }
    return [
      "schema": "roc/training-step/1", "step": .int(step), "loss": .double(loss),
      "loss_text": .double(parts.text),
      "loss_l1": value(parts.l1), "loss_ce": value(parts.ce), "loss_emd": value(parts.emd),
      "learning_rate": .double(learningRate), "grad_norm": .double(gradientNorm),
      "epoch": .double(epoch),
    ]
  }

  init?(_ json: JSON) {
    guard let step = json["step"]?.int, let loss = json["loss"]?.double,
      let text = json["loss_text"]?.double, let rate = json["learning_rate"]?.double,
      let norm = json["grad_norm"]?.double
    else { return nil }
    var parts = LossParts()
    parts.text = text
    parts.l1 = json["loss_l1"]?.double
    parts.ce = json["loss_ce"]?.double
    parts.emd = json["loss_emd"]?.double
    self.init(
      step: step, epoch: json["epoch"]?.double ?? 0, loss: loss, parts: parts, learningRate: rate,
      gradientNorm: norm)
  }
}

/// `training.jsonl`: a line for each update and each evaluation of a training run, over all of its
/// starts.
package final class StepLog {
  package let path: String
  private let file: OpenFile
  package private(set) var reports: [StepReport] = []
  package private(set) var evaluations: [Evaluation] = []

  /// Opens the log of a folder; lines of updates from `step` on are dropped, since those are made
  /// again.
  ///
  /// - Throws: `TrainingError` when the file cannot be written.
  package init(folder: String, from step: Int) throws(TrainingError) {
    path = "\(folder)/\(TrainingFolder.logFile)"
    // An evaluation at a step came after the update before it.
    let kept = Self.lines(path).filter { line in
      let own = line["step"]?.int ?? Int.max
      return own < step || (own == step && step > 0 && line["eval_count"] != nil)
    }
    do throws(FileError) {
      try NewFile.write(kept.flatMap { Array(($0.line + "\n").utf8) }, to: path)
      file = try OpenFile(path, .appending)
    } catch {
      throw .output("\(path): cannot be written: \(error.reason)")
    }
    for line in kept {
      if let report = StepReport(line) { reports.append(report) }
      if let evaluation = Evaluation(line) { evaluations.append(evaluation) }
    }
  }

  package func add(_ report: StepReport) throws(TrainingError) {
    reports.append(report)
    try add(report.json)
  }

  package func add(_ evaluation: Evaluation) throws(TrainingError) {
    evaluations.append(evaluation)
    try add(evaluation.json)
  }

  private func add(_ json: JSON) throws(TrainingError) {
    do throws(FileError) {
      try file.write(Array((json.line + "\n").utf8))
    } catch {
      throw .output("\(path): cannot be written: \(error.reason)")
    }
  }

  /// The lines that are whole.
  private static func lines(_ path: String) -> [JSON] {
    guard fileExists(path), let bytes = try? readBytes(path) else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      try? JSON.parse(String(decoding: line, as: UTF8.self))
    }
  }
}
