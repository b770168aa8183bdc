import RocJSON
package import RocMetrics
import RocTensor

/// Predictions beside ground truth from a file.
///
/// CSV with the columns `image,gt_score,score[,p1…pN][,t1…tN]`; or JSON records, as an array, one a
/// line or back to back, with `gt_score`, `score` and perhaps `distribution` and `target`.
package struct PredictionFile: Sendable {
  package private(set) var pairs = ScoredPairs()
  /// Records in all.
  package private(set) var count = 0
  /// Records without a usable score, with place and reason.
  package private(set) var failures: [String] = []
  private var hasDistributions = true

  /// - Throws: `DataError` when the file cannot be read or lacks a column.
  package init(path: String) throws(DataError) {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      throw DataError(error.description, isMissing: error.isMissing)
    }
    let first = file.withBytes { bytes in
      bytes.first { ![0x20, 0x0A, 0x0D, 0x09, 0xEF, 0xBB, 0xBF].contains($0) }
    }
    guard let first else { throw DataError("\(path): the file is empty") }
    if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") {
      try file.withBytes { bytes throws(DataError) in try readJSON(bytes, path: path) }
    } else {
      try file.withBytes { bytes throws(DataError) in try readCSV(bytes, path: path) }
    }
    if !hasDistributions { pairs.distributions = [] }
  }

  private mutating func add(
    _ place: String, truth: Double?, score: Double?, distributions: ([Double], [Double])?,
    reason: String? = nil
  ) {
    count += 1
    guard let truth, truth.isFinite else {
      failures.append("\(place): gt_score is no finite number")
      return
    }
    guard let score, score.isFinite else {
      failures.append("\(place): \(reason ?? "score is no finite number")")
      return
    }
    pairs.predicted.append(score)
    pairs.truth.append(truth)
    if let distributions {
      pairs.distributions.append((predicted: distributions.0, truth: distributions.1))
    } else {
      hasDistributions = false
    }
  }

  private mutating func readJSON(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(DataError) {
    var reader = JSONRecords(bytes, readsNonFinite: true)
    while true {
      let record: JSON?
      do throws(JSONError) {
        record = try reader.next()
      } catch {
        throw DataError("\(path): record \(count + 1): not JSON: \(error)")
      }
      guard let record else { return }
      let place = "\(path): record \(count + 1)"
      guard record["gt_score"] != nil, record["score"] != nil else {
        throw DataError("\(place): needs gt_score and score")
      }
      let p = record["distribution"]?.array?.compactMap(\.double) ?? []
      let t = record["target"]?.array?.compactMap(\.double) ?? []
      add(
        place, truth: record["gt_score"]?.double, score: record["score"]?.double,
        distributions: p.isEmpty || t.isEmpty ? nil : (p, t),
        reason: record["error"]?["message"]?.string)
    }
  }

  private mutating func readCSV(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) {
    let csv = try CSVFile(bytes, name: path)
    guard let truth = csv.column("gt_score"), let score = csv.column("score") else {
      throw DataError(
        """
        \(path):1: the columns are \(csv.header.joined(separator: ",")), expected at least \
        gt_score and score
        """)
    }
    let p = Self.numbered("p", csv)
    let t = Self.numbered("t", csv)
    for row in csv.rows {
      let place = "\(path):\(row.line)"
      guard row.fields.count == csv.header.count else {
        count += 1
        failures.append("\(place): \(row.fields.count) fields, expected \(csv.header.count)")
        continue
      }
      let predicted = p.compactMap { Double(row.fields[$0]) }
      let target = t.compactMap { Double(row.fields[$0]) }
      let isWhole = !p.isEmpty && predicted.count == p.count && target.count == t.count
      add(
        place, truth: Double(row.fields[truth]), score: Double(row.fields[score]),
        distributions: isWhole && !target.isEmpty ? (predicted, target) : nil)
    }
  }

  /// The places of `p1`, `p2`, … as far as they go.
  private static func numbered(_ letter: String, _ csv: CSVFile) -> [Int] {
    var places: [Int] = []
    while let place = csv.column("\(letter)\(places.count + 1)") { places.append(place) }
    return places
  }
}
