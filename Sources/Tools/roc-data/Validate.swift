import ArgumentParser
import RocData
import RocImage
import RocJSON
import RocScore
import RocStore
import RocTensor
import RocTool

struct Validate: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check conversation records before anything is trained on them.",
    discussion: """
      Checks a file, or all records that a dataset would export. Errors give exit code 4, each
      with its record number and field.

      Examples:
        roc-data validate train.json --num-tokens 10 --min-score 1 --max-score 10
        roc-data validate ava
      """)

  @Argument(help: "A conversation file (JSON array or JSON Lines), - or a dataset's name.")
  var target: String

  @Option(help: "Values that each score's target must have.")
  var numTokens: Int?

  @Option(help: "Lowest gt_score.")
  var minScore: Double?

  @Option(help: "Highest gt_score.")
  var maxScore: Double?

  @Option(help: "Folder in which every picture must be.")
  var images: String?

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
    guard numTokens.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--num-tokens \(numTokens ?? 0): expected 1 or more.")
    }
  }

  func execute() throws -> ExitStatus {
    let isFile = target == "-" || !Self.isDatasetName(target)
    var lint = isFile ? try fileLint() : try datasetLint()
    let looked = lint.findImage != nil
    if target == "-" {
      StandardInput.readAll().withUnsafeBytes { lint.check(file: $0) }
    } else if isFile {
      do throws(FileError) {
        let file = try MappedFile(path: target)
        file.withBytes { lint.check(file: $0) }
      } catch {
        throw CommandError(error.isMissing ? .dataMissing : .failed, error.description)
      }
    } else {
      let store = try database.open(readOnly: true)
      let record = try store.dataset(target)
      let samples = try store.samples(record).samples
      let bytes = ConversationExport(dataset: record, questions: []).array(samples)
      bytes.withUnsafeBytes { lint.check(file: $0) }
    }
    return try report(lint, looked: looked)
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
    guard let images else { return ConversationLint(tokens: numTokens, range: givenRange) }
    let folder = try ImageFolder(images)
    return ConversationLint(tokens: numTokens, range: givenRange) { name in
      folder.path(of: name).map(Self.reason) ?? "not in \(images)"
    }
  }

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
    let byKey = Dictionary(samples.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    return ConversationLint(tokens: tokens, range: range) { key in
      guard let sample = byKey[key], sample.imageState != .readable else { return nil }
      // A picture that nobody has decoded yet is decoded now.
      return sample.path.map(Self.reason) ?? sample.imageReason ?? "not in the image folder"
    }
  }

  private func report(_ lint: ConversationLint, looked: Bool) throws -> ExitStatus {
    let errors = lint.errors + (strict ? lint.warnings : [])
    let warnings = strict ? [] : lint.warnings
    if json {
      let object: JSON = [
        "schema": "roc/validation/1",
        "target": .string(target),
        "records": .int(lint.records),
        "errors": .array(errors.map(\.json)),
        "warnings": .array(warnings.map(\.json)),
        "images_checked": .bool(looked),
      ]
      try Console.print(object.pretty)
    } else {
      for finding in errors { try Console.print("error: \(line(finding))") }
      for finding in warnings.prefix(20) { try Console.print("warning: \(line(finding))") }
      if warnings.count > 20 { try Console.print("… and \(warnings.count - 20) more warnings") }
      try Console.print(
        """
        \(target): \(lint.records) records, \(errors.count) errors, \(warnings.count) warnings
        """)
      if !looked { try Console.print("pictures were not checked (no --images)") }
    }
    return errors.isEmpty ? .done : .checkFailed
  }

  private func line(_ finding: Finding) -> String {
    "record \(finding.record): \(finding.field): \(finding.message)"
  }
}
