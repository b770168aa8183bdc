import ArgumentParser
import Foundation
import RocJSON
import RocModel
import RocScore
import RocTool

struct Score: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score pictures without a database, one line a picture.",
    discussion: """
      Examples:
        roc-eval score --checkpoint DIR photo.jpg holiday/
        find . -name '*.jpg' | roc-eval score --checkpoint DIR --output scores.jsonl -
      With --output or --csv answers go into the file one by one; the same command resumes where
      it stopped, and scores failed pictures and those that were replaced again. Exit code 3: some
      pictures have no score; they are named.
      """)

  @OptionGroup var engineOptions: EngineOptions

  @Flag(help: "Print one JSON object a picture.")
  var jsonl = false

  @Flag(
    name: [.customShort("z"), .long],
    help: "Names of - end with a zero byte, as find -print0 writes.")
  var null = false

  @Option(help: "Digits of the printed score.")
  var decimals = 4

  @Option(help: "A file of JSON Lines that grows; - is standard output.")
  var output: String?

  @Option(help: "A file of CSV that grows; - is standard output.")
  var csv: String?

  @Argument(
    help: ArgumentHelp(
      "Pictures, folders of pictures, or - for a list on standard input.",
      valueName: "picture|folder"))
  var pictures: [String]

  mutating func validate() throws {
    guard (0...17).contains(decimals) else {
      throw ValidationError("--decimals \(decimals): expected 0 to 17.")
    }
    guard output == nil || csv == nil else {
      throw ValidationError("--output and --csv: one of them; roc-eval metrics reads both.")
    }
  }

  func execute() throws -> ExitStatus {
    let list = try PictureList(pictures, isNullSeparated: null)
    let paths = list.paths
    for line in list.remarks { Console.note(line) }
    let (engine, checkpoint, mode) = try engineOptions.engine()
    let sink = try AnswerSink(self, engine, checkpoint, mode)
    let wanted = paths.filter { !sink.has($0) }
    if let known = sink.knownRemark(paths.count - wanted.count) { Console.note(known) }
    Interrupt.listen()
    var failures = 0
    var done = 0
    var progress = Progress("scoring", total: wanted.count, unit: "pictures")
    try engine.score(
      paths: wanted, mode: mode, decimals: decimals,
      ahead: engineOptions.batchSize
    ) { index, outcome in
      let path = wanted[index]
      // A picture that was named twice.
      if sink.isFile, sink.has(path) { return true }
      progress.finish()
      if let failure = outcome.failure {
        failures += 1
        Console.note("Warning: \(Quoted.name(failure.message))")
      }
      if outcome.failure == nil, PictureFile.isGrey16(path) {
        Console.note(
          """
          Warning: \(Quoted.name(path)): a PNG of 16-bit grey; its values above 255 are scored as \
          white, as Pillow reads them; convert it to 8 bits
          """)
      }
      try sink.add(path, outcome)
      done += 1
      progress.update(done)
      return Interrupt.status == nil && !Console.isClosed
    }
    progress.finish()
    try sink.finish()
    if let status = Interrupt.status, done < wanted.count {
      Console.note(
        "interrupted after \(done) of \(wanted.count) pictures"
          + (sink.isFile ? "; the same command goes on from here" : ""))
      return status
    }
    if failures > 0 {
      Console.note("\(failures) of \(paths.count) pictures have no score")
    }
    return failures > 0 || !list.unreadable.isEmpty ? .partlyFailed : .done
  }
}

extension ScoredPicture {
  /// The object of `score --jsonl`.
  func json(image: String) -> JSON {
    let scores = failure == nil ? answer?.scores ?? [] : []
    let distributions = failure == nil ? answer?.distributions ?? [] : []
    var members: [JSON.Member] = [
      .init("schema", "roc/score/1"),
      .init("image", .string(image)),
      .init("score", JSON(scores.first)),
      .init("scores", JSON(scores)),
      .init("distribution", JSON(distributions.first ?? [])),
      .init("distributions", .array(distributions.map { JSON($0) })),
      .init("text", JSON(answer?.text)),
    ]
    if failure == nil, let levels = answer?.levels {
      let named = zip(LevelScoring.words, levels).map { JSON.Member($0, JSON($1)) }
      members.append(.init("levels", .object(named)))
    }
    members.append(
      .init(
        "error",
        failure.map { ["code": .string($0.code), "message": .string($0.message)] } ?? .null))
    return .object(members)
  }
}
