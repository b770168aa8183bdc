import ArgumentParser
import RocData
import RocJSON
import RocNames
import RocStore
import RocTool

struct ExportCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a split as training or evaluation files.",
    usage: "roc-data export <dataset> --split <split> [<options>]",
    discussion: """
      roc: conversations with gt_score and target; qalign: levels; deqa: soft labels.

      Examples:
        roc-data export ava --split train --format roc --output train.json
        roc-data export para --split train --attribute colorScore_mean=color --scale 1:10
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split: String

  @Option(help: "roc, qalign, deqa, csv or jsonl.")
  var format: ExportFormat = .roc

  @Option(help: "A question; if repeated, questions are used in turn.")
  var question: [String] = []

  @Option(help: "What gt_score is called, if not as in the manifest.")
  var word: String?

  @Option(help: "A further score, NAME or NAME=WORD.")
  var attribute: [String] = []

  @Option(help: "Scale of the attributes, LOW:HIGH.")
  var attributeRange: ScaleOption?

  @Option(help: "After the score: first, longest or shortest.")
  var comment: CommentRule?

  @Option(help: "The file of the comments; default: the largest.")
  var commentSource: String?

  @Option(help: "Map scores linearly to LOW:HIGH.")
  var scale: ScaleOption?

  @Option(help: "Bins of target; --rebin allows other numbers.")
  var numTokens: Int?

  @Flag(help: "Share votes between the two nearest new bins.")
  var rebin = false

  @Option(help: "Of levels, if not the manifest's.")
  var levelTask: LevelTask?

  @Option(help: "Bounds of the levels; default: all scores'.")
  var levelRange: ScaleOption?

  @Option(help: "Of soft labels.")
  var density: SoftLabel.Density = .pdf

  @Flag(help: "Of deqa: 0.2 five times at the middle.")
  var deqaUpstream = false

  @Flag(help: "Leave out missing and unreadable pictures.")
  var skipMissing = false

  @Flag(help: "Export even if parts share pictures.")
  var force = false

  @Flag(help: "Leave out photos that are tested elsewhere.")
  var dedupPhotos = false

  @Flag(help: "Refuse while parts share photos.")
  var strict = false

  @Option(help: "Where to write; - is standard output.")
  var output = "-"

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    for question in question {
      guard let mark = ConversationExport.reserved.first(where: question.containsBytes) else {
        continue
      }
      throw ValidationError(
        "--question must not hold \(mark): the template or the export has its own.")
    }
    guard question.isEmpty || [.roc, .qalign, .deqa].contains(format) else {
      throw ValidationError("--question goes with --format roc, qalign or deqa.")
    }
    for (flag, isGiven) in [
      ("--comment", comment != nil), ("--scale", scale != nil), ("--rebin", rebin),
      ("--attribute-range", attributeRange != nil), ("--word", word != nil),
    ] where isGiven && format != .roc {
      throw ValidationError("\(flag) goes with --format roc.")
    }
    let words = attribute.compactMap { $0.split(separator: "=", maxSplits: 1).dropFirst().first }
    for text in words.map(String.init) + [word].compactMap({ $0 }) {
      guard let reason = ScoreWord.reason(against: text) else { continue }
      throw ValidationError("The word \"\(text)\" \(reason).")
    }
    guard !attribute.contains(where: { $0.hasSuffix("=") }) else {
      throw ValidationError("--attribute NAME=WORD needs a word.")
    }
    guard !json || output != "-" else {
      throw ValidationError("--json: give --output FILE; standard output is the export's.")
    }
    guard levelRange == nil || format == .qalign || format == .deqa else {
      throw ValidationError("--level-range goes with --format qalign or deqa.")
    }
    guard !deqaUpstream || format == .deqa else {
      throw ValidationError("--deqa-upstream goes with --format deqa.")
    }
    guard attribute.isEmpty || (format != .qalign && format != .deqa) else {
      throw ValidationError("--attribute goes with --format roc, csv or jsonl.")
    }
    guard numTokens.map({ $0 >= 2 && $0 <= 1000 }) ?? true else {
      throw ValidationError("--num-tokens \(numTokens ?? 0): expected 2 to 1000.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: true)
    let job = ExportJob(store, try store.dataset(dataset), request, note: Console.note)
    let result = try job.run()
    try OutputFile.write(blocks: result.blocks, to: output)
    job.sum(up: result)
    if json { try Console.printData(object(result).pretty) }
    return result.incomplete.isEmpty ? .done : .partlyFailed
  }

  private var request: ExportRequest {
    var request = ExportRequest(split: split, format: format)
    request.questions = question
    request.word = word
    request.attributes = attribute
    request.attributeRange = attributeRange?.range
    request.comment = comment
    request.commentSource = commentSource
    request.scale = scale?.range
    request.tokens = numTokens
    request.rebins = rebin
    request.levelTask = levelTask
    request.levelRange = levelRange?.range
    request.density = density
    request.isUpstream = deqaUpstream
    request.skipsMissing = skipMissing
    request.force = force
    request.dropsTestedPhotos = dedupPhotos
    request.isStrict = strict
    return request
  }

  private func object(_ result: ExportJob.Result) -> JSON {
    let missing = skipMissing ? result.absent : []
    return [
      "schema": "roc/export/1", "dataset": .string(dataset),
      "split": .string(result.split), "format": .string(format.rawValue),
      "output": .string(output), "records": .int(result.records),
      "left_out": [
        "missing": .array(missing.map { .string($0.text) }),
        "incomplete": .array(result.incomplete.map { .string($0.text) }),
        "same_photo": .int(result.samePhotos),
      ],
      "images_missing": .int(result.absent.count),
    ]
  }
}
