import ArgumentParser
import RocData
import RocStore
import RocTool

struct Export: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a split as training or evaluation files.",
    discussion: """
      Formats: roc (conversations with gt_score and target), csv, jsonl.

      Example:
        roc-data export ava --split train --format roc --output train.json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case roc
    case csv
    case jsonl
  }

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split: String

  @Option(help: "roc, csv or jsonl.")
  var format: Format = .roc

  @Option(help: "A question for the conversations; give several and they are taken in turn.")
  var question: [String] = []

  @Option(help: "Bins of target; must be the dataset's own.")
  var numTokens: Int?

  @Flag(help: "Leave out pictures that are missing or unreadable, and list them.")
  var skipMissing = false

  @Flag(help: "Export train or val although it shares pictures with another part.")
  var force = false

  @Flag(help: "Leave out training photos that the test part has in another folder.")
  var dedupPhotos = false

  @Flag(help: "Refuse to export train or val while it shares photos with another part.")
  var strict = false

  @Option(help: "Where to write; - is standard output.")
  var output = "-"

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    for question in question where question.contains(ConversationExport.mark) {
      throw ValidationError("--question must not hold <|image|>; the export puts it first.")
    }
    guard question.isEmpty || format == .roc else {
      throw ValidationError("--question goes with --format roc.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open(readOnly: true)
    let record = try store.dataset(dataset)
    if let numTokens, numTokens != record.bins?.count {
      let own = record.bins.map { "\($0.count)" } ?? "no"
      throw CommandError(
        .usage,
        "\(dataset) has \(own) bins, --num-tokens asks for \(numTokens); votes are not rebinned")
    }
    let (name, stored) = try store.samples(record, split: split)
    let all = try name.map { try withoutLeaks(stored, $0, store, record) } ?? stored
    let absent = all.filter { $0.imageState == .missing || $0.imageState == .unreadable }
    let absentIDs = Set(absent.map(\.id))
    let samples = skipMissing ? all.filter { !absentIDs.contains($0.id) } : all
    if skipMissing {
      for sample in absent {
        Console.note("left out: \(sample.key): \(sample.imageReason ?? sample.imageState.rawValue)")
      }
    }
    let bytes =
      switch format {
      case .roc: ConversationExport(dataset: record, questions: question).array(samples)
      case .csv: TableExport.csv(samples, bins: record.bins?.count)
      case .jsonl: TableExport.jsonLines(samples)
      }
    try OutputFile.write(bytes, to: output)
    let left = skipMissing ? ", \(absent.count) left out" : ""
    Console.note("\(dataset) \(name?.description ?? split): \(samples.count) records\(left)")
    if !skipMissing, !absent.isEmpty {
      Console.note(
        "Warning: \(absent.count) pictures are missing or unreadable; --skip-missing leaves them out"
      )
    }
    return .done
  }

  /// Training on what is tested makes every number wrong: train and val go through the audit.
  private func withoutLeaks(
    _ samples: [SampleRecord], _ name: SplitName, _ store: Store, _ record: DatasetRecord
  ) throws -> [SampleRecord] {
    guard name.part != "test", name.scheme == record.defaultScheme else { return samples }
    let audit = try LeakAudit(store, record)
    for leak in audit.pictureLeaks(of: name) {
      guard force else {
        throw CommandError(
          .checkFailed, "\(leak.text); roc-data audit \(dataset) lists more; --force exports anyway"
        )
      }
      Console.note("Warning: \(leak.text)")
    }
    let photos = audit.photoLeaks(of: name)
    guard !photos.isEmpty else { return samples }
    if dedupPhotos {
      let tested = audit.photos(in: SplitName(scheme: name.scheme, part: "test"))
      let kept = samples.filter { !tested.contains($0.baseName) }
      Console.note(
        "left out: \(samples.count - kept.count) pictures whose photo is in the test part")
      return kept
    }
    for leak in photos {
      guard !strict else {
        throw CommandError(.checkFailed, "\(leak.text); --dedup-photos leaves them out")
      }
      Console.note("Warning: \(leak.text); --dedup-photos leaves them out")
    }
    return samples
  }
}
