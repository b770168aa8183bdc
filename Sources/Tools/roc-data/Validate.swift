import ArgumentParser
import RocData
import RocFiles
import RocImage
import RocJSON
import RocNames
import RocScore
import RocStore
import RocTool

struct Validate: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check conversation records before anything is trained on them.",
    discussion: """
      Checks a file of ROC, Q-Align or DeQA-Score records, or all records that a dataset would
      export. Errors give exit code 4, each with its record number and field. --fix repairs unambiguous errors, drops records that stay invalid, and lists both (exit code 3).

      Examples:
        roc-data validate train.json --num-tokens 10 --min-score 1 --max-score 10
        roc-data validate train_spaq.json --fix --output mended.json
      """)

  @Argument(help: "A conversation file (JSON array or JSON Lines), - or a dataset's name.")
  var target: String

  @Option(help: "ROC training records, each target with this many values per score.")
  var numTokens: Int?

  @Flag(help: "With --num-tokens: records without a target are right.")
  var allowMissingTarget = false

  @Option(parsing: .unconditional, help: "Lowest gt_score.")
  var minScore: Double?

  @Option(parsing: .unconditional, help: "Highest gt_score.")
  var maxScore: Double?

  @Option(help: "Folder in which every picture must be.")
  var images: String?

  @Option(help: "Record format: roc, qalign or deqa; detected by default.")
  var format: RecordFormat?

  @Flag(help: "Low scores are the good ones (DMOS), so levels fall while scores rise.")
  var lowerIsBetter = false

  @Flag(help: "Mend records and write them to --output.")
  var fix = false

  @Option(help: "Where --fix writes; - is standard output.")
  var output: String?

  @Flag(help: "Treat warnings as errors.")
  var strict = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard (minScore == nil) == (maxScore == nil) else {
      throw ValidationError("--min-score and --max-score go together.")
    }
    if let minScore, let maxScore,
      !(minScore < maxScore && minScore.isFinite && maxScore.isFinite)
    {
      throw ValidationError("--min-score \(minScore) is not below --max-score \(maxScore).")
    }
    guard numTokens == nil || (format ?? .roc) == .roc else {
      throw ValidationError("--num-tokens goes with --format roc: other records have no target.")
    }
    guard numTokens != nil || !allowMissingTarget else {
      throw ValidationError("--allow-missing-target goes with --num-tokens.")
    }
    guard fix == (output != nil) else {
      throw ValidationError("--fix and --output FILE go together.")
    }
    guard !(json && output == "-") else {
      throw ValidationError("--json and --output - both write to standard output.")
    }
    guard numTokens.map({ (1...1000).contains($0) }) ?? true else {
      throw ValidationError("--num-tokens \(numTokens ?? 0): expected 1 to 1000.")
    }
  }

  func execute() throws -> ExitStatus {
    guard target == "-" || !Self.isDatasetName(target) else { return try checkDataset() }
    if target == "-" {
      let bytes = StandardInput.readAll()
      return try bytes.withUnsafeBytes { try check($0) }
    }
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: target)
    } catch {
      throw CommandError(error.isMissing ? .dataMissing : .failed, error.description)
    }
    return try file.withBytes { try check($0) }
  }

  private func checkDataset() throws -> ExitStatus {
    guard !fix, format ?? .roc == .roc else {
      throw CommandError(.usage, "--fix and --format are for files; \(target) is a dataset")
    }
    var lint = try datasetLint()
    let store = try database.open(readOnly: true)
    let record = try store.dataset(target)
    let samples = try store.samples(record).samples
    let bytes = ConversationExport(dataset: record).array(samples)
    bytes.withUnsafeBytes { lint.check(file: $0) }
    return try report(Outcome(lint))
  }

  /// What a lint found.
  private struct Outcome {
    let records: Int
    let errors: [Finding]
    let warnings: [Finding]
    let looked: Bool
    /// As what the records were read.
    let kind: String

    init(_ lint: ConversationLint) {
      kind = "ROC4MLLM training records"
      records = lint.records
      errors = lint.errors
      warnings = lint.warnings
      looked = lint.findImage != nil
    }

    init(_ lint: LevelLint) {
      kind = lint.kind
      records = lint.records
      errors = lint.errors
      warnings = lint.warnings
      looked = lint.findImage != nil
    }
  }

  private func outcome(
    _ bytes: UnsafeRawBufferPointer, _ format: RecordFormat
  ) throws -> Outcome {
    if format == .roc {
      var lint = try fileLint()
      lint.check(file: bytes)
      return Outcome(lint)
    }
    var lint = LevelLint(
      isDeQA: format == .deqa, range: givenRange, isLowerBetter: lowerIsBetter,
      findImage: try fileLint().findImage)
    lint.check(file: bytes)
    return Outcome(lint)
  }

  private func check(_ bytes: UnsafeRawBufferPointer) throws -> ExitStatus {
    // Whoever says how many values a target has means training records with targets.
    let format = format ?? (numTokens == nil ? RecordFormat.of(bytes) : .roc)
    guard fix, let output else { return try report(outcome(bytes, format)) }
    var records: [JSON] = []
    var reader = JSONRecords(bytes, readsNonFinite: true)
    var broken = 0
    while true {
      do throws(JSONError) {
        guard let record = try reader.next() else { break }
        records.append(record)
      } catch {
        broken += 1
        try tell("left out: not JSON: \(error)")
        if !reader.skipRecord() { break }
      }
    }
    var repair = RecordRepair(format, learningFrom: records, isLowerBetter: lowerIsBetter)
    var mended = records.map { repair.mend($0) }
    for change in repair.changes { try tell("mended: record \(change.record): \(change.message)") }
    // What is still wrong has no one right answer: it is left out by name.
    var left = 0
    let found = try outcome(Self.array(mended), format)
    let bad = Dictionary(grouping: found.errors.filter { $0.record > 0 }, by: \.record)
    for (_, findings) in bad.sorted(by: { $0.key < $1.key }) {
      left += 1
      for finding in findings { try tell("left out: \(line(finding))") }
    }
    mended = mended.enumerated().filter { bad[$0.offset + 1] == nil }.map(\.element)
    try OutputFile.write(Self.array(mended), to: output)
    let count = Set(repair.changes.map(\.record)).count
    Console.note(
      """
      \(target): \(mended.count) records written to \(output), \(count) of them mended, \
      \(left + broken) left out
      """)
    let still = try outcome(Self.array(mended), format).errors
    for finding in still { try tell("error: \(line(finding))") }
    return !still.isEmpty ? .checkFailed : left + broken > 0 ? .partlyFailed : .done
  }

  /// Lists what was done where it does not mix with the records.
  private func tell(_ text: String) throws {
    if output == "-" { Console.note(text) } else { try Console.print(text) }
  }

  private func outcome(_ bytes: [UInt8], _ format: RecordFormat) throws -> Outcome {
    try bytes.withUnsafeBytes { try outcome($0, format) }
  }

  /// A JSON array, one record a line.
  private static func array(_ records: [JSON]) -> [UInt8] {
    var bytes: [UInt8] = Array("[".utf8)
    for (i, record) in records.enumerated() {
      bytes.append(contentsOf: (i == 0 ? "\n" : ",\n").utf8)
      record.write(into: &bytes)
    }
    bytes.append(contentsOf: "\n]\n".utf8)
    return bytes
  }

  /// A name without dots and slashes that is no file here.
  private static func isDatasetName(_ text: String) -> Bool {
    !text.contains("/") && !text.contains(".") && (try? MappedFile(path: text)) == nil
  }

  private var givenRange: ScoreRange? {
    guard let minScore, let maxScore else { return nil }
    return ScoreRange(low: minScore, high: maxScore)
  }

  private func fileLint() throws -> ConversationLint {
    var lint = ConversationLint(tokens: numTokens, range: givenRange)
    lint.needsTarget = needsTarget
    guard let images else { return lint }
    let folder = try ImageFolder(images)
    lint.findImage = { name in
      folder.path(of: name).map(Self.reason) ?? folder.reason(name, in: images)
    }
    return lint
  }

  private var needsTarget: Bool { numTokens != nil && !allowMissingTarget }

  /// Why a picture cannot be read; nil when it can.
  private static func reason(_ path: String) -> String? {
    do throws(PictureError) {
      _ = try Picture.read(path)
      return nil
    } catch {
      return error.reason
    }
  }

  private func datasetLint() throws -> ConversationLint {
    let store = try database.open(readOnly: true)
    let record = try store.dataset(target)
    let tokens = numTokens ?? record.bins?.count
    let range = givenRange ?? record.range
    guard record.imageFolder != nil, images == nil else {
      var lint = try fileLint()
      lint.tokens = tokens
      lint.range = range
      return lint
    }
    let samples = try store.samples(record).samples
    let byKey = Dictionary(
      samples.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var lint = ConversationLint(tokens: tokens, range: range) { key in
      guard let sample = byKey[key], sample.imageState != .readable else { return nil }
      // A picture that nobody has decoded yet is decoded now.
      return sample.path.map(Self.reason) ?? sample.imageReason ?? "not in the image folder"
    }
    lint.needsTarget = needsTarget
    return lint
  }

  private func report(_ lint: Outcome) throws -> ExitStatus {
    let errors = lint.errors + (strict ? lint.warnings : [])
    let warnings = strict ? [] : lint.warnings
    if json {
      let object: JSON = [
        "schema": "roc/validation/1",
        "target": .string(target),
        "read_as": .string(lint.kind),
        "records": .int(lint.records),
        "errors": .array(errors.map(\.json)),
        "warnings": .array(warnings.map(\.json)),
        "images_checked": .bool(lint.looked),
      ]
      try Console.print(object.pretty)
    } else {
      for line in FindingGroup.lines(errors, most: 50) { try Console.print("error: \(line)") }
      for line in FindingGroup.lines(warnings, most: 20) { try Console.print("warning: \(line)") }
      try Console.print(
        """
        \(target): read as \(lint.kind): \(lint.records) records, \(errors.count) errors, \
        \(warnings.count) warnings
        """)
      if !lint.looked { try Console.print("pictures were not checked (no --images)") }
    }
    return errors.isEmpty ? .done : .checkFailed
  }

  private func line(_ finding: Finding) -> String {
    finding.record == 0
      ? "file: \(finding.message)"
      : "record \(finding.record): \(finding.field): \(finding.message)"
  }
}

extension RecordFormat: ExpressibleByArgument {}
