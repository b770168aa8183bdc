import RocDigest
import RocFiles
import RocJSON
package import RocNames
package import RocStore

/// A segment as it lies on the disk.
package struct Segment: Sendable {
  package let path: String
  package let header: SegmentHeader
  package private(set) var predictions: [(image: ImageKey, prediction: PredictionRecord)] = []
  /// Numbers of lines, from 1, whose checksum does not hold.
  package private(set) var damaged: [Int] = []
  package private(set) var lineCount = 0
  /// Up to the end of the last line before the first damaged one.
  package private(set) var intactBytes = 0

  /// - Throws: `SegmentError` when the file cannot be read or its header is damaged.
  package init(_ path: String) throws(SegmentError) {
    self.path = path
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      throw SegmentError(error.description, isMissing: error.isMissing)
    }
    let lines = file.withBytes { bytes in
      bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
    }
    // What follows the last line end is empty, or a line that was not finished.
    let isWhole = lines.last?.isEmpty ?? true
    let texts = isWhole ? lines.dropLast() : lines[...]
    lineCount = texts.count
    guard let first = texts.first, let value = Self.value(first),
      let header = SegmentHeader(value), isWhole || texts.count > 1
    else { throw SegmentError("\(path): no segment of roc's: its first line is damaged") }
    self.header = header
    var position = first.count + 1
    intactBytes = position
    for (place, line) in texts.enumerated().dropFirst() {
      position += line.count + 1
      let isLast = place == texts.count - 1
      guard let value = Self.value(line), !(isLast && !isWhole), let found = Self.prediction(value)
      else {
        damaged.append(place + 1)
        continue
      }
      predictions.append(found)
      if damaged.isEmpty { intactBytes = position }
    }
  }

  /// Whether a worker died before it had written the header: there is no whole line.
  static func isUnbegun(_ path: String) -> Bool {
    guard let file = try? MappedFile(path: path) else { return false }
    return file.withBytes { !$0.contains(0x0A) && $0.count < 65_536 }
  }

  /// The segments of a folder by name, and files in which not even the header is whole.
  package static func all(
    in folder: String, names: [String]
  ) throws(SegmentError) -> (segments: [Segment], unbegun: [String]) {
    var result: [Segment] = []
    var unbegun: [String] = []
    for name in names.sorted() where name.hasPrefix("shard-") && name.hasSuffix(".jsonl") {
      let path = "\(folder)/\(name)"
      if isUnbegun(path) {
        unbegun.append(path)
      } else {
        result.append(try Segment(path))
      }
    }
    guard !result.isEmpty else {
      throw SegmentError(
        "\(folder): no segments (shard-….jsonl) in it; roc-eval --segments writes them",
        isMissing: true)
    }
    return (result, unbegun)
  }

  static func checksum(_ line: String) -> String { String(SHA256.of(line).prefix(16)) }

  /// The JSON of a line; nil where the checksum does not hold.
  private static func value(_ line: [UInt8]) -> JSON? {
    guard line.count > 17, line[16] == 0x20 else { return nil }
    let text = String(decoding: line[17...], as: UTF8.self)
    guard checksum(text) == String(decoding: line[..<16], as: UTF8.self) else { return nil }
    return try? JSON.parse(text)
  }

  static func json(_ image: ImageKey, _ prediction: PredictionRecord) -> JSON {
    [
      "image": .string(image.text), "scores": JSON(prediction.scores),
      "distributions": .array(prediction.distributions.map { JSON($0) }),
      "text": JSON(prediction.text),
      "error": prediction.errorCode.map {
        ["code": .string($0), "message": .string(prediction.errorMessage ?? "")]
      } ?? .null,
      "milliseconds": .double(prediction.milliseconds),
      "picture": prediction.picture.map {
        [
          "sha256": .string($0.sha256), "bytes": .int($0.bytes),
          "modified": .double($0.modified),
        ]
      } ?? .null,
    ]
  }

  private static func prediction(_ value: JSON) -> (image: ImageKey, prediction: PredictionRecord)?
  {
    guard let image = value["image"]?.string.map(ImageKey.init),
      let scores = value["scores"]?.array,
      let distributions = value["distributions"]?.array
    else { return nil }
    var record = PredictionRecord(
      sample: 0, scores: scores.compactMap(\.double),
      distributions: distributions.map { ($0.array ?? []).compactMap(\.double) },
      text: value["text"]?.string, errorCode: value["error"]?["code"]?.string,
      errorMessage: value["error"]?["message"]?.string,
      milliseconds: value["milliseconds"]?.double ?? 0)
    if let picture = value["picture"], let sha = picture["sha256"]?.string {
      record.picture = PictureStamp(
        sha256: sha, bytes: picture["bytes"]?.int ?? 0,
        modified: picture["modified"]?.double ?? 0)
    }
    return (image, record)
  }
}

/// The predictions of all segments, each picture once.
package struct SegmentMerge: Sendable {
  package let header: SegmentHeader
  package private(set) var predictions: [ImageKey: PredictionRecord] = [:]
  /// Pictures that several segments have, with the same prediction.
  package private(set) var duplicates = 0
  /// Pictures that segments disagree about.
  package private(set) var conflicts: [ImageKey] = []
  /// Segments and lines whose checksum does not hold.
  package private(set) var torn: [(path: String, line: Int)] = []

  /// - Throws: `SegmentError` when segments belong to different evaluations.
  package init(_ segments: [Segment]) throws(SegmentError) {
    guard let first = segments.first else { throw SegmentError("no segments") }
    header = first.header
    for segment in segments {
      guard segment.header == header else {
        let gaps = segment.header.differences(from: header).joined(separator: "; ")
        throw SegmentError(
          """
          \(segment.path) and \(first.path) belong to different evaluations (\(gaps)); merge only \
          what was scored alike
          """)
      }
      torn += segment.damaged.map { (segment.path, $0) }
      // A worker that scores a picture again because it has changed writes a later line.
      let last = Dictionary(
        segment.predictions.map { ($0.image, $0.prediction) }, uniquingKeysWith: { $1 })
      for (image, prediction) in last.sorted(by: { $0.key < $1.key }) {
        add(image, prediction)
      }
    }
  }

  private mutating func add(_ image: ImageKey, _ prediction: PredictionRecord) {
    guard let known = predictions[image] else {
      predictions[image] = prediction
      return
    }
    // A picture that could not be read and then could is no contradiction.
    if known.errorCode != nil, prediction.errorCode == nil {
      predictions[image] = prediction
      return
    }
    if known.errorCode == nil, prediction.errorCode != nil { return }
    if known.agrees(with: prediction) {
      duplicates += 1
    } else if !conflicts.contains(image) {
      conflicts.append(image)
    }
  }
}
