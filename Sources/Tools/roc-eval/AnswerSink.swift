import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocNames
import RocScore
import RocScoring
import RocTool

/// Where `score` puts its answers: standard output, or a file that grows.
struct AnswerSink {
  private let file: AnswerFile?
  private let path: String
  private let form: AnswerForm?
  private let decimals: Int
  private let run: String

  /// - Throws: `JobError` for a file that cannot be continued.
  init(
    _ command: ScoreCommand, _ engine: Engine, _ checkpoint: Checkpoint, _ mode: ScoringMode
  ) throws {
    decimals = command.decimals
    path = command.output ?? command.csv ?? "-"
    form =
      if command.csv != nil {
        .csv(bins: Self.columns(engine, mode))
      } else if command.output != nil || command.jsonl {
        .jsonLines
      } else {
        nil
      }
    guard let form, command.output != nil || command.csv != nil else {
      (file, run) = (nil, "")
      return
    }
    let sha256 = try checkpoint.sha256()
    run = String(RunIdentity(engine, mode, sha256: sha256).fingerprint().prefix(16))
    file =
      OutputFile.isStandardOutput(path)
      ? nil : try AnswerFile(path, form: form, run: run, note: Console.note)
    if file == nil, let header = form.header { try Console.printData(header) }
  }

  private static func columns(_ engine: Engine, _ mode: ScoringMode) -> [String] {
    if case .levels = mode { return LevelScoring.words }
    let count = engine.parts.readout?.axis.values.count ?? 0
    return (0..<count).map { "p\($0 + 1)" }
  }

  var isFile: Bool { file != nil }

  /// Whether an earlier answer stands in the file.
  func has(_ image: String) -> Bool { file?.has(image) ?? false }

  func knownRemark(_ count: Int) -> String? {
    count > 0 ? "\(path): \(count) of these pictures are scored there already" : nil
  }

  func add(_ image: String, _ outcome: ScoredPicture) throws {
    if let file { return try file.add(image, outcome) }
    if let form {
      guard run.isEmpty else {
        return try Console.printData(
          form.record(
            image, outcome, run: run, modified: FileFacts(image)?.modified))
      }
      return try Console.printData(outcome.json(image: image).line)
    }
    try Console.print(line(image, outcome))
  }

  func finish() throws { try file?.finish() }

  /// `path <tab> score`, or `path <tab> failed <tab> code`.
  private func line(_ image: String, _ outcome: ScoredPicture) -> String {
    guard let score = outcome.answer?.score, outcome.failure == nil else {
      return "\(Quoted.name(image))\tfailed\t\(outcome.failure?.code ?? "")"
    }
    return "\(Quoted.name(image))\t\(fixed(score, decimals))"
  }
}
