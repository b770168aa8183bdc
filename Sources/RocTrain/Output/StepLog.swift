import RocCheckpoint
package import RocJSON
import RocTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

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

/// `training.jsonl`: a line for each update and each evaluation of a training, also over several
/// starts.
package final class StepLog {
  package let path: String
  private let descriptor: Int32
  package private(set) var reports: [StepReport] = []
  package private(set) var evaluations: [Evaluation] = []

  /// Opens the log of a folder; lines of updates from `step` on belong to what is done again, and
  /// go.
  ///
  /// - Throws: `TrainingError` when the file cannot be written.
  package init(folder: String, from step: Int) throws(TrainingError) {
    path = "\(folder)/\(TrainingFolder.logFile)"
    // An evaluation at a step came after the update before it.
    let kept = Self.lines(path).filter { line in
      let own = line["step"]?.int ?? Int.max
      return own < step || (own == step && step > 0 && line["eval_count"] != nil)
    }
    let temporary = "\(path).partial-\(getpid())"
    let bytes = kept.flatMap { Array(($0.line + "\n").utf8) }
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0, Self.writeAll(bytes, to: descriptor), rename(temporary, path) == 0 else {
      throw .output("\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
    for line in kept {
      if let report = StepReport(line) { reports.append(report) }
      if let evaluation = Evaluation(line) { evaluations.append(evaluation) }
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func add(_ report: StepReport) throws(TrainingError) {
    reports.append(report)
    try add(report.json)
  }

  package func add(_ evaluation: Evaluation) throws(TrainingError) {
    evaluations.append(evaluation)
    try add(evaluation.json)
  }

  private func add(_ json: JSON) throws(TrainingError) {
    guard Self.writeAll(Array((json.line + "\n").utf8), to: descriptor) else {
      throw .output("\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  /// The lines that are whole.
  private static func lines(_ path: String) -> [JSON] {
    guard fileExists(path), let bytes = try? readBytes(path) else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      try? JSON.parse(String(decoding: line, as: UTF8.self))
    }
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var start = 0
      while start < buffer.count {
        let written = write(descriptor, buffer.baseAddress.map { $0 + start }, buffer.count - start)
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { return false }
        start += written
      }
      return true
    }
  }
}
