import ArgumentParser
import RocData
import RocJSON
import RocNames
import RocScore
import RocStore
import RocTool

struct Export: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a split as training or evaluation files.",
    usage: "roc-data export <dataset> --split <split> [<options>]",
    discussion: """
      roc: conversations with gt_score and target; qalign: levels; deqa: soft labels.

      Examples:
        roc-data export ava --split train --format roc --output train.json
        roc-data export para --split train --attribute colorScore_mean=color --scale 1:10
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case roc
    case qalign
    case deqa
    case csv
    case jsonl
  }

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "scheme/part, or a part of the default scheme.")
  var split: String

  @Option(help: "roc, qalign, deqa, csv or jsonl.")
  var format: Format = .roc

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
    let record = try store.dataset(dataset)
    if let numTokens, numTokens != record.bins?.count, !rebin || record.bins == nil {
      let own = record.bins.map { "\($0.count)" } ?? "no"
      throw CommandError(
        .usage,
        """
        \(dataset) has \(own) bins, --num-tokens asks for \(numTokens)\
        \(record.bins == nil ? "; it publishes no votes" : "; --rebin spreads the votes over them")
        """)
    }
    let (name, stored) = try store.samples(record, split: split)
    let all = try name.map { try LeakGate(self).withoutLeaks(stored, $0, store, record) } ?? stored
    let absent = all.filter { $0.imageState == .missing || $0.imageState == .unreadable }
    let absentIDs = Set(absent.map(\.id))
    var samples = skipMissing ? all.filter { !absentIDs.contains($0.id) } : all
    if skipMissing {
      for sample in absent {
        Console.note("left out: \(sample.key): \(sample.imageReason ?? sample.imageState.rawValue)")
      }
    }
    let attributes = try ExportedAttributes(self, store, record)
    var incomplete = format == .roc ? attributes.keepComplete(&samples) : []
    for key in incomplete.prefix(20) {
      Console.note("left out: \(key): it lacks an attribute, so there is no score to train on")
    }
    if format == .deqa {
      let form = LevelExport.Form.deqa(density)
      let mute = samples.filter { !LevelExport.takes($0, form: form, dataset: record) }
      samples.removeAll { !LevelExport.takes($0, form: form, dataset: record) }
      for sample in mute.prefix(20) {
        Console.note("left out: \(sample.key): it has no votes, and its score is on another scale")
      }
      incomplete += mute.map(\.key)
    }
    try write(samples, name, store, record, attributes)
    let left = skipMissing ? ", \(absent.count) left out" : ""
    Console.note("\(dataset) \(name?.description ?? split): \(samples.count) records\(left)")
    if !skipMissing, !absent.isEmpty {
      Console.note(
        "Warning: \(absent.count) pictures are missing or unreadable; --skip-missing leaves them out"
      )
    }
    if !incomplete.isEmpty {
      Console.note(
        "\(incomplete.count) pictures lack \(format == .deqa ? "votes" : "an attribute")")
    }
    if json {
      let missing = skipMissing ? absent.map(\.key) : []
      let report: JSON = [
        "schema": "roc/export/1", "dataset": .string(dataset),
        "split": .string(name?.description ?? split), "format": .string(format.rawValue),
        "output": .string(output), "records": .int(samples.count),
        "left_out": [
          "missing": .array(missing.map { .string($0.text) }),
          "incomplete": .array(incomplete.map { .string($0.text) }),
          "same_photo": .int(stored.count - all.count),
        ],
        "images_missing": .int(absent.count),
      ]
      try Console.print(report.pretty)
    }
    return incomplete.isEmpty ? .done : .partlyFailed
  }

  private func write(
    _ samples: [SampleRecord], _ name: SplitName?, _ store: Store, _ record: DatasetRecord,
    _ attributes: ExportedAttributes
  ) throws {
    let names = attributes.list.map(\.name)
    let blocks: [[UInt8]]
    switch format {
    case .roc:
      if let scale {
        Console.note("scores: \(record.range) mapped linearly to \(scale.range)")
      }
      for text in question where !attributes.word.isNamed(in: text) {
        Console.note(
          """
          Warning: the question "\(text)" does not speak of \(attributes.word.question), which the \
          answer gives; --word says what the score is called
          """)
      }
      for attribute in attributes.list {
        Console.note(
          "\(attribute.word.answer): \(attribute.range) mapped linearly to \((scale?.range ?? record.range))"
        )
      }
      let comments = try chosenComments(samples, store, record)
      let isRebinned = rebin || attributes.list.allSatisfy { $0.bins?.count == record.bins?.count }
      if let reason = attributes.reasonForNoTargets(numTokens, rebin, record) {
        Console.note("no target: \(reason)")
      }
      let lists = try importedLists(store, record)
      blocks =
        ConversationExport(
          dataset: record, word: attributes.word, questions: question, attributes: attributes.list,
          values: attributes.values, comments: comments, lists: lists, scale: scale?.range,
          tokens: isRebinned ? numTokens ?? record.bins?.count : nil,
          hasTargets:
            attributes
            .reasonForNoTargets(numTokens, rebin, record) == nil
        ).blocks(samples)
    case .qalign: blocks = [try levels(samples, name, .qalign, store, record)]
    case .deqa: blocks = [try levels(samples, name, .deqa(density), store, record)]
    case .csv:
      blocks = [
        TableExport.csv(
          samples, bins: record.bins?.count, attributes: names, values: attributes.values)
      ]
    case .jsonl:
      blocks = [
        TableExport.jsonLines(samples, attributes: names, values: attributes.values)
      ]
    }
    try OutputFile.write(blocks: blocks, to: output)
  }

  /// Q-Align's or DeQA-Score's records, with what the levels cost.
  private func levels(
    _ samples: [SampleRecord], _ name: SplitName?, _ form: LevelExport.Form, _ store: Store,
    _ record: DatasetRecord
  ) throws -> [UInt8] {
    let all = try store.samples(record).samples.filter {
      LevelExport.takes($0, form: form, dataset: record)
    }
    let scores = LevelExport.scores(all, form: form, dataset: record)
    guard let low = scores.min(), let high = scores.max(), low < high || levelRange != nil else {
      throw CommandError(.failed, "\(dataset): all scores are equal, so there are no levels")
    }
    let range = levelRange?.range ?? ScoreRange(low: low, high: high)
    let deviations = try publishedDeviations(store, record)
    let word = ScoreWord(of: record)
    let task = levelTask ?? (word == ScoreWord("quality") ? .quality : .aesthetics)
    if !word.question.utf8.elementsEqual(task.rawValue.utf8), levelTask == nil {
      Console.note(
        """
        Warning: \(dataset)'s score is called \(word.question), the questions and answers of \
        \(format) ask about \(task.rawValue); --level-task chooses
        """)
    }
    let export = LevelExport(
      dataset: record, form: form, task: task, questions: question, range: range,
      deviations: deviations, isUpstream: deqaUpstream)
    let (bytes, loss) = export.array(samples, isTest: name?.part == "test")
    Console.note("levels: five equal intervals of \(range.low) to \(range.high)")
    if !record.higherIsBetter {
      Console.note("levels: low scores of this dataset are the good ones; gt_score stays as it is")
    }
    if loss.outside > 0 {
      Console.note("levels: \(loss.outside) pictures outside them got the nearest level")
    }
    if let srcc = loss.srcc, let plcc = loss.plcc {
      Console.note(
        "levels: their correlation with gt_score is SRCC \(fixed(srcc, 4)), PLCC \(fixed(plcc, 4))")
    }
    if form != .qalign {
      Console.note("soft labels: \(loss.binary) of \(samples.count) share two neighbouring levels")
      if loss.central > 0 {
        Console.note(
          """
          soft labels: \(loss.central) at the middle of the scale \
          \(deqaUpstream ? "are 0.2 five times, as upstream" : "have the density itself, not upstream's 0.2 five times")
          """)
      }
    }
    return bytes
  }

  /// All scores of records that were imported with several, unless the command asks for others.
  private func importedLists(_ store: Store, _ record: DatasetRecord) throws -> [Int64: [Double]] {
    guard question.isEmpty, attribute.isEmpty, comment == nil else { return [:] }
    return try store.scoreLists(of: record)
  }

  /// The standard deviations of the ratings, where the dataset publishes them.
  private func publishedDeviations(
    _ store: Store, _ record: DatasetRecord
  ) throws -> [Int64: Double] {
    let manifest = try? Manifest(yaml: record.manifest, path: record.name)
    if let name = manifest?.variance {
      return try store.attributes([name], of: record).compactMapValues {
        $0[name].map { max($0, 0).squareRoot() }
      }
    }
    let names = [manifest?.deviation].compactMap { $0 } + ["std", "SD"]
    return try store.attributes(names, of: record).compactMapValues { values in
      names.lazy.compactMap { values[$0] }.first
    }
  }

  /// One comment a picture; those that would break the template are passed over.
  private func chosenComments(
    _ samples: [SampleRecord], _ store: Store, _ record: DatasetRecord
  ) throws -> [Int64: String] {
    guard let comment else { return [:] }
    let sources = try store.commentSources(of: record)
    let list = sources.map { "\($0.source) (\($0.count))" }.joined(separator: ", ")
    guard let source = commentSource ?? sources.first?.source else {
      throw CommandError(.dataMissing, "\(dataset) has no comments")
    }
    guard sources.contains(where: { $0.source == source }) else {
      throw CommandError(.usage, "\(dataset) has no comments from \(source); it has \(list)")
    }
    let all = try store.comments(of: record, source: source)
    var chosen: [Int64: String] = [:]
    for sample in samples { chosen[sample.id] = comment.choose(all[sample.id] ?? []) }
    Console.note(
      "comments: \(chosen.count) of \(samples.count) pictures have one (\(source), \(comment.rawValue))"
    )
    return chosen
  }
}
