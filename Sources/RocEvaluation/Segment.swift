import RocDigest
import RocFiles
import RocJSON
package import RocNames
import RocScore
package import RocStore

/// Why a segment cannot be used.
package struct SegmentError: ReportedError, CustomStringConvertible {
  package let message: String
  package let isMissing: Bool

  init(_ message: String, isMissing: Bool = false) {
    self.message = message
    self.isMissing = isMissing
  }

  package var outcome: Outcome { isMissing ? .missing : .failed }
  package var description: String { message }
}

/// What all segments of one evaluation agree on.
package struct SegmentHeader: Sendable, Equatable {
  package let dataset: String
  package let split: String
  package let splitSHA256: String
  package let count: Int
  package let run: RunRecord

  package init(
    dataset: String, split: String, splitSHA256: String, count: Int, run: RunRecord
  ) {
    self.dataset = dataset
    self.split = split
    self.splitSHA256 = splitSHA256
    self.count = count
    self.run = run
  }

  package static func == (a: SegmentHeader, b: SegmentHeader) -> Bool {
    a.differences(from: b).isEmpty
  }

  /// What differs but must agree.
  ///
  /// Where a worker found the checkpoint is its own affair, and the digest identifies its network.
  func differences(from other: SegmentHeader) -> [String] {
    let theirs = other.json
    return (json.members ?? []).compactMap { member in
      let value = theirs[member.name]
      guard !["checkpoint", "backbone"].contains(member.name), value != member.value else {
        return nil
      }
      return "\(member.name): \(member.value.line) and \(value?.line ?? "null")"
    }
  }

  var json: JSON {
    [
      "schema": "roc/segment/1", "dataset": .string(dataset), "split": .string(split),
      "split_sha256": .string(splitSHA256), "n": .int(count),
      "fingerprint": .string(run.fingerprint), "checkpoint": .string(run.checkpoint),
      "checkpoint_sha256": .string(run.checkpointSHA256), "question": .string(run.question),
      "preprocessing": .string(run.preprocessing), "precision": .string(run.precision),
      "engine": .string(run.engine), "low": .double(run.range.low),
      "high": .double(run.range.high), "tokens": .int(run.tokens),
      "targets": .array(run.targets.map(JSON.string)),
      "backbone": run.backbone.map(JSON.string) ?? .null,
    ]
  }

  init?(_ json: JSON) {
    guard json["schema"] == "roc/segment/1", let dataset = json["dataset"]?.string,
      let split = json["split"]?.string, let sha = json["split_sha256"]?.string,
      let count = json["n"]?.int, let fingerprint = json["fingerprint"]?.string,
      let checkpoint = json["checkpoint"]?.string,
      let checkpointSHA = json["checkpoint_sha256"]?.string,
      let question = json["question"]?.string, let preprocessing = json["preprocessing"]?.string,
      let precision = json["precision"]?.string, let engine = json["engine"]?.string,
      let low = json["low"]?.double, let high = json["high"]?.double, low < high,
      let tokens = json["tokens"]?.int, let targets = json["targets"]?.array
    else { return nil }
    var run = RunRecord(
      dataset: 0, fingerprint: fingerprint, checkpoint: checkpoint,
      checkpointSHA256: checkpointSHA, question: question, preprocessing: preprocessing,
      precision: precision, engine: engine, range: ScoreRange(low: low, high: high),
      tokens: tokens, targets: targets.compactMap(\.string))
    run.backbone = json["backbone"]?.string
    self.init(dataset: dataset, split: split, splitSHA256: sha, count: count, run: run)
  }
}

/// One worker's predictions: a file that only grows, each line with a checksum before it.
///
/// `<16 hexadecimal digits of the line's SHA-256> <JSON>`; the first line is the header.
package final class SegmentWriter {
  private let file: OpenFile
  private var path: String { file.path }
  /// Pictures that earlier runs of this worker have scored.
  package let known: [ImageKey: PredictionRecord]
  /// Whether the last line was torn and was cut off.
  package let wasTorn: Bool

  /// Begins a segment, or goes on with one of the same evaluation.
  ///
  /// - Parameters:
  ///   - folder: Made when it is not there.
  ///   - shard: Whose segment.
  ///   - header: What it belongs to.
  /// - Throws: `SegmentError` when the file belongs to another evaluation, is in use, or cannot be
  ///   written.
  package init(folder: String, shard: Shard, header: SegmentHeader) throws(SegmentError) {
    func digits(_ value: Int) -> String {
      String(repeating: "0", count: max(0, 4 - String(value).count)) + String(value)
    }
    let path = "\(folder)/shard-\(digits(shard.index))-of-\(digits(shard.count)).jsonl"
    do throws(FileError) {
      // Only the last one: a mistyped path must not be made on one worker's own disk.
      try makeFolder(folder)
    } catch {
      throw SegmentError("\(folder): cannot be made: \(error.reason)")
    }
    do throws(FileError) {
      file = try OpenFile(path, .appending)
    } catch {
      throw SegmentError("\(path): cannot be opened: \(error.reason)")
    }
    guard file.lock() != .taken else {
      throw SegmentError(
        "\(path): another process is writing this shard; give each worker its own --shard")
    }
    let found = try Self.continued(file, header)
    wasTorn = found?.wasTorn ?? false
    known = found?.known ?? [:]
    if found == nil { try Self.append([header.json], to: file) }
  }

  /// What a segment of the same evaluation holds, its torn end cut off; nil for an empty file.
  private static func continued(
    _ file: OpenFile, _ header: SegmentHeader
  ) throws(SegmentError) -> (known: [ImageKey: PredictionRecord], wasTorn: Bool)? {
    let path = file.path
    guard let facts = file.facts, facts.bytes > 0 else { return nil }
    if Segment.isUnbegun(path) {
      try writing { () throws(FileError) in try file.truncate(to: 0) }
      return nil
    }
    let found: Segment
    do throws(SegmentError) {
      found = try Segment(path)
    } catch {
      // Opened a moment ago: that it is gone is a failure of this run, not a missing input.
      throw SegmentError(error.message)
    }
    guard found.header == header else {
      let gaps = found.header.differences(from: header).joined(separator: "; ")
      throw SegmentError(
        "\(path): belongs to another evaluation (\(gaps)); use an empty folder for --segments")
    }
    guard found.damaged.allSatisfy({ $0 == found.lineCount }) else {
      throw SegmentError(
        """
        \(path): lines \(found.damaged.prefix(5).map(String.init).joined(separator: ", ")) are \
        damaged, not only the last; move the file away to score its pictures again
        """)
    }
    // Only a line that was being written when the worker died can be torn.
    let wasTorn = !found.damaged.isEmpty
    if wasTorn {
      try writing { () throws(FileError) in try file.truncate(to: found.intactBytes) }
    }
    let known = Dictionary(
      found.predictions.map { ($0.image, $0.prediction) },
      uniquingKeysWith: { _, last in last })
    return (known, wasTorn)
  }

  /// Appends predictions and waits until they are on the disk.
  package func write(_ predictions: [(image: ImageKey, prediction: PredictionRecord)])
    throws(SegmentError)
  {
    try Self.append(predictions.map { Segment.json($0.image, $0.prediction) }, to: file)
  }

  private static func append(_ values: [JSON], to file: OpenFile) throws(SegmentError) {
    guard !values.isEmpty else { return }
    let text = values.map { value in
      let line = value.line
      return "\(Segment.checksum(line)) \(line)\n"
    }.joined()
    try writing { () throws(FileError) in
      try file.write(Array(text.utf8))
      try file.synchronise()
    }
  }

  private static func writing(_ body: () throws(FileError) -> Void) throws(SegmentError) {
    do throws(FileError) {
      try body()
    } catch {
      throw SegmentError("\(error.path): cannot be written: \(error.reason)")
    }
  }
}
