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
    let file = try MappedFile.ofData(path)
    self = try file.withBytes { bytes throws(DataError) in
      try PredictionFile(bytes, name: path)
    }
  }

  /// Reads a file in memory; `name` stands in messages.
  package init(_ bytes: UnsafeRawBufferPointer, name: String) throws(DataError) {
    let first = bytes.first { ![0x20, 0x0A, 0x0D, 0x09, 0xEF, 0xBB, 0xBF].contains($0) }
    guard let first else { throw DataError("\(name): the file is empty", isMissing: true) }
    if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") {
      try readJSON(bytes, path: name)
    } else {
      try readCSV(bytes, path: name)
    }
    guard count > 0 else { throw DataError("\(name): no records in it", isMissing: true) }
    if !hasDistributions { pairs.distributions = [] }
  }

  /// A distribution as it must be: numbers of 0 or more that sum to 1; nil for none.
  private static func distribution(
    _ values: [Double?]?, _ name: String, _ place: String
  ) throws(DataError) -> [Double]? {
    guard let values, !values.isEmpty else { return nil }
    let numbers = values.compactMap { $0 }
    guard numbers.count == values.count, numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw DataError("\(place): \(name) holds something that is no number of 0 or more")
    }
    let sum = numbers.reduce(0, +)
    guard abs(sum - 1) <= 1e-3 else {
      throw DataError("\(place): \(name) sums to \(sum), expected 1")
    }
    return numbers
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
      let hasScore = record["score"]?.isNull == false
      let p = try Self.distribution(
        hasScore ? record["distribution"]?.array?.map(\.double) : nil, "distribution", place)
      let t = try Self.distribution(record["target"]?.array?.map(\.double), "target", place)
      add(
        place, truth: record["gt_score"]?.double, score: record["score"]?.double,
        distributions: p.flatMap { p in t.map { (p, $0) } },
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
      let hasScore = Double(decimal: row.fields[score]) != nil
      let predicted = try Self.distribution(
        hasScore ? p.map { Double(decimal: row.fields[$0]) } : nil, "p1…p\(p.count)", place)
      let target = try Self.distribution(
        hasScore ? t.map { Double(decimal: row.fields[$0]) } : nil, "t1…t\(t.count)", place)
      add(
        place, truth: Double(decimal: row.fields[truth]), score: Double(decimal: row.fields[score]),
        distributions: predicted.flatMap { p in target.map { (p, $0) } })
    }
  }

  /// The places of `p1`, `p2`, … as far as they go.
  private static func numbered(_ letter: String, _ csv: CSVFile) -> [Int] {
    var places: [Int] = []
    while let place = csv.column("\(letter)\(places.count + 1)") { places.append(place) }
    return places
  }
}
