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
        find . -name '*.jpg' | roc-eval score --checkpoint DIR --jsonl - > scores.jsonl
      Exit code 3 says that some pictures have no score; they are named.
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

  @Argument(
    help: ArgumentHelp(
      "Pictures, folders of pictures, or - for a list on standard input.",
      valueName: "picture|folder"))
  var pictures: [String]

  mutating func validate() throws {
    guard (0...17).contains(decimals) else {
      throw ValidationError("--decimals \(decimals): expected 0 to 17.")
    }
  }

  func execute() throws -> ExitStatus {
    let list = try PictureList(pictures, isNullSeparated: null)
    let paths = list.paths
    for line in list.remarks { Console.note(line) }
    let (engine, _, mode) = try engineOptions.engine()
    Interrupt.listen()
    var failures = 0
    var done = 0
    var progress = Progress("scoring", total: paths.count, unit: "pictures")
    try engine.score(
      paths: paths, mode: mode, decimals: decimals,
      ahead: engineOptions.batchSize
    ) { index, outcome in
      progress.finish()
      if let failure = outcome.failure {
        failures += 1
        Console.note("Warning: \(Quoted.name(failure.message))")
      }
      if outcome.failure == nil, PictureFile.isGrey16(paths[index]) {
        Console.note(
          """
          Warning: \(paths[index]): a PNG of 16-bit grey; its values above 255 are scored as white, as \
          Pillow reads them; convert it to 8 bits
          """)
      }
      try Console.print(
        jsonl
          ? outcome.json(image: paths[index]).line : line(image: paths[index], outcome))
      done += 1
      progress.update(done)
      return Interrupt.status == nil && !Console.isClosed
    }
    progress.finish()
    if let status = Interrupt.status, done < paths.count {
      Console.note("interrupted after \(done) of \(paths.count) pictures")
      return status
    }
    if failures > 0 {
      Console.note("\(failures) of \(paths.count) pictures have no score")
    }
    return failures > 0 || !list.unreadable.isEmpty ? .partlyFailed : .done
  }

  /// `path <tab> score`, or `path <tab> failed <tab> code`.
  private func line(image: String, _ outcome: ScoredPicture) -> String {
    guard let score = outcome.answer?.score, outcome.failure == nil else {
      return "\(Quoted.name(image))\tfailed\t\(outcome.failure?.code ?? "")"
    }
    return "\(Quoted.name(image))\t\(fixed(score, decimals))"
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
