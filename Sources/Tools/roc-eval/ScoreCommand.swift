import ArgumentParser
import RocEngineTool
import RocModel
import RocNames
import RocScoring
import RocTool

struct ScoreCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
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
    var progress = Progress("scoring", total: wanted.count, unit: "pictures")
    let job = ListJob(engine, mode, decimals: decimals, ahead: engineOptions.settings.batchSize)
    let result = try job.run(
      wanted, passes: { sink.isFile && sink.has($0) },
      shouldStop: { Interrupt.status != nil || Console.isClosed },
      tell: { event in
        if case .done(let done) = event { return progress.update(done) }
        progress.finish()
        Console.note("Warning: \(Self.text(event))")
      },
      keep: {
        progress.finish()
        try sink.add($0, $1)
      })
    progress.finish()
    try sink.finish()
    if let status = Interrupt.status, result.isStopped {
      Console.note(
        "interrupted after \(result.done) of \(wanted.count) pictures"
          + (sink.isFile ? "; the same command goes on from here" : ""))
      return status
    }
    let failures = result.failures
    if failures > 0 {
      Console.note("\(failures) of \(paths.count) pictures have no score")
    }
    return failures > 0 || !list.unreadable.isEmpty ? .partlyFailed : .done
  }

  private static func text(_ event: ListJob.Event) -> String {
    switch event {
    case .failed(let message): Quoted.name(message)
    case .grey16(let path):
      """
      \(Quoted.name(path)): a PNG of 16-bit grey; its values above 255 are scored as white, as \
      Pillow reads them; convert it to 8 bits
      """
    case .done(let count): "\(count) done"
    }
  }
}
