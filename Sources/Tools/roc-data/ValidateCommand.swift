import ArgumentParser
import RocData
import RocFiles
import RocJSON
import RocScore
import RocTool

struct ValidateCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
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
    if target != "-", Self.isDatasetName(target) {
      guard !fix, format ?? .roc == .roc else {
        throw CommandError(.usage, "--fix and --format are for files; \(target) is a dataset")
      }
      return try report(job.check(target, in: try database.open(readOnly: true)))
    }
    if target == "-" {
      return try StandardInput.readAll().withUnsafeBytes { try check($0) }
    }
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: target)
    } catch {
      throw CommandError(error.isMissing ? .dataMissing : .failed, error.description)
    }
    return try file.withBytes { try check($0) }
  }

  private var job: ValidationJob {
    var rules = ValidationJob.Rules()
    rules.tokens = numTokens
    rules.needsTarget = numTokens != nil && !allowMissingTarget
    if let minScore, let maxScore { rules.range = ScoreRange(low: minScore, high: maxScore) }
    rules.lowerIsBetter = lowerIsBetter
    rules.images = images
    return ValidationJob(rules)
  }

  private func check(_ bytes: UnsafeRawBufferPointer) throws -> ExitStatus {
    let format = format ?? job.format(of: bytes)
    guard fix, let output else { return try report(job.check(bytes, as: format)) }
    let repair = try job.repair(bytes, as: format, tell: tell)
    try OutputFile.write(repair.bytes, to: output)
    Console.note(
      """
      \(target): \(repair.records) records written to \(output), \(repair.mended) of them mended, \
      \(repair.left) left out
      """)
    for finding in repair.errors { try tell("error: \(finding.line)") }
    return !repair.errors.isEmpty ? .checkFailed : repair.left > 0 ? .partlyFailed : .done
  }

  /// Lists what was done where it does not mix with the records.
  private func tell(_ text: String) throws {
    if output == "-" { Console.note(text) } else { try Console.print(text) }
  }

  /// Whether a text is a name without dots and slashes, and not a file here.
  private static func isDatasetName(_ text: String) -> Bool {
    !text.contains("/") && !text.contains(".") && (try? MappedFile(path: text)) == nil
  }

  private func report(_ lint: ValidationJob.Outcome) throws -> ExitStatus {
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
      try Console.printData(object.pretty)
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
}

extension RecordFormat: ExpressibleByArgument {}
