import RocImage
import RocJSON
import RocNames
package import RocScore
package import RocStore
package import RocTables
import Synchronization

/// The check of training records, in a file or as a dataset would be exported, and their repair.
package struct ValidationJob: Sendable {
  /// What records have to be.
  package struct Rules: Sendable {
    /// How many values a target has; as many as the dataset's votes, or any number, when nil.
    package var tokens: Int?
    package var needsTarget = false
    /// The scale of the scores; the dataset's, or any, when nil.
    package var range: ScoreRange?
    package var lowerIsBetter = false
    /// The folder of the pictures; they are not looked for when nil.
    package var images: String?

    package init() {}
  }

  /// What was found.
  package struct Outcome: Sendable {
    package let records: Int
    package let errors: [Finding]
    package let warnings: [Finding]
    /// Whether pictures were looked for.
    package let looked: Bool
    /// What the records were read as.
    package let kind: String

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

  private let rules: Rules
  private let shortage = Shortage()

  package init(_ rules: Rules) { self.rules = rules }

  /// What the machine was too short of while pictures were looked at: nothing is known of those.
  private final class Shortage: Sendable {
    private let error = Mutex<PictureError?>(nil)

    func note(_ error: PictureError) { self.error.withLock { $0 = $0 ?? error } }

    func check() throws(DataError) {
      if let error = error.withLock({ $0 }) { throw DataError(error.description) }
    }
  }

  /// The form of a file's records.
  ///
  /// Whoever says how many values a target has means training records with targets.
  package func format(of bytes: UnsafeRawBufferPointer) -> RecordFormat {
    rules.tokens == nil ? RecordFormat.of(bytes) : .roc
  }

  /// Checks a file's records.
  ///
  /// - Throws: `DataError` when the folder of pictures is not there.
  package func check(
    _ bytes: UnsafeRawBufferPointer, as format: RecordFormat
  ) throws(DataError) -> Outcome {
    if format == .roc {
      var lint = try fileLint()
      lint.check(file: bytes)
      try shortage.check()
      return Outcome(lint)
    }
    var lint = LevelLint(
      isDeQA: format == .deqa, range: rules.range, isLowerBetter: rules.lowerIsBetter,
      findImage: try fileLint().findImage)
    lint.check(file: bytes)
    try shortage.check()
    return Outcome(lint)
  }

  /// Checks what the export of a dataset would write.
  ///
  /// - Throws: `StoreError` when there is no such dataset.
  package func check(_ name: String, in store: Store) throws -> Outcome {
    let record = try store.dataset(name)
    let samples = try store.samples(record).samples
    var lint = try datasetLint(record, samples)
    let bytes = ConversationExport(dataset: record).array(samples)
    bytes.withUnsafeBytes { lint.check(file: $0) }
    try shortage.check()
    return Outcome(lint)
  }

  private func fileLint() throws(DataError) -> ConversationLint {
    var lint = ConversationLint(tokens: rules.tokens, range: rules.range)
    lint.needsTarget = rules.needsTarget
    guard let images = rules.images else { return lint }
    let folder = try ImageFolder(images)
    lint.findImage = { [shortage] name in
      folder.path(of: name).map { Self.reason($0, shortage) } ?? folder.reason(name, in: images)
    }
    return lint
  }

  private func datasetLint(
    _ record: DatasetRecord, _ samples: [SampleRecord]
  ) throws -> ConversationLint {
    let tokens = rules.tokens ?? record.bins?.count
    let range = rules.range ?? record.range
    guard record.imageFolder != nil, rules.images == nil else {
      var lint = try fileLint()
      lint.tokens = tokens
      lint.range = range
      return lint
    }
    let byKey = Dictionary(
      samples.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var lint = ConversationLint(tokens: tokens, range: range) { [shortage] key in
      guard let sample = byKey[key], sample.imageState != .readable else { return nil }
      // A picture that nobody has decoded yet is decoded now.
      return sample.path.map { Self.reason($0, shortage) } ?? sample.imageReason
        ?? "not in the image folder"
    }
    lint.needsTarget = rules.needsTarget
    return lint
  }

  /// Why a picture cannot be read; nil when it can.
  private static func reason(_ path: String, _ shortage: Shortage) -> String? {
    do throws(PictureError) {
      _ = try Picture.read(path)
      return nil
    } catch {
      if error.code == .machine { shortage.note(error) }
      return error.reason
    }
  }
}

extension ValidationJob {
  /// What mending made of a file.
  package struct Repair: Sendable {
    /// The records that are now right, as a JSON array.
    package let bytes: [UInt8]
    package let records: Int
    /// Records that were changed.
    package let mended: Int
    /// Records that have no single right answer.
    package let left: Int
    /// What is wrong even so.
    package let errors: [Finding]
  }

  /// Mends what has one right answer; leaves out, and names, what has none.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - format: Of its records.
  ///   - tell: Gets what was done, line by line.
  /// - Returns: The mended file.
  /// - Throws: `DataError` when the folder of pictures is not there, and what `tell` throws.
  package func repair(
    _ bytes: UnsafeRawBufferPointer, as format: RecordFormat, tell: (String) throws -> Void
  ) throws -> Repair {
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
    var repair = RecordRepair(
      format, learningFrom: records, isLowerBetter: rules.lowerIsBetter)
    var mended = records.map { repair.mend($0) }
    for change in repair.changes { try tell("mended: record \(change.record): \(change.message)") }
    // What is still wrong has no single right answer: it is named and left out.
    let found = try check(Self.array(mended), as: format)
    let bad = Dictionary(grouping: found.errors.filter { $0.record > 0 }, by: \.record)
    for (_, findings) in bad.sorted(by: { $0.key < $1.key }) {
      for finding in findings { try tell("left out: \(finding.line)") }
    }
    mended = mended.enumerated().filter { bad[$0.offset + 1] == nil }.map(\.element)
    let whole = Self.array(mended)
    return Repair(
      bytes: whole, records: mended.count, mended: Set(repair.changes.map(\.record)).count,
      left: bad.count + broken, errors: try check(whole, as: format).errors)
  }

  private func check(_ bytes: [UInt8], as format: RecordFormat) throws -> Outcome {
    try bytes.withUnsafeBytes { try check($0, as: format) }
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
}

extension Finding {
  /// Where and what, on one line.
  package var line: String {
    record == 0 ? "file: \(message)" : "record \(record): \(field): \(message)"
  }
}
