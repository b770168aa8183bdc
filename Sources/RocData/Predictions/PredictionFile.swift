import RocFiles
import RocJSON
package import RocMetrics
package import RocNames
package import RocTables

/// Predictions beside ground truth, from a file of roc's own or of another program's.
///
/// * CSV with a column of scores, and perhaps `image`, `gt_score`, `p1…pN`, `t1…tN`; pyiqa's two
///   columns, with or without a header;
/// * JSON records, as an array, one a line or back to back: roc's own, Q-Align's and DeQA-Score's
///   with logits or probabilities of five levels, Q-Bench's with the logits of good and poor;
/// * NIMA's text lines, `<id> mean: m | std: s | GT: g`.
package struct PredictionFile: Sendable {
  /// What the file was taken for, and how its scores are computed.
  package enum Form: String, Sendable {
    case csv = "CSV"
    case records = "JSON records"
    case levels = "logits of five levels, softmax, expectation of 5 to 1"
    case probabilities = "probabilities of five levels, expectation of 5 to 1"
    case goodAndPoor = "logits of good and poor, score 1/(1+exp(poor-good))"
    case lines = "lines of NIMA, mean and GT"
  }

  package let name: String
  package private(set) var form = Form.csv
  package private(set) var entries: [Prediction] = []

  /// - Throws: `DataError` when the file cannot be read or lacks a column.
  package init(path: String) throws(DataError) {
    let file = try MappedFile.ofData(path)
    self = try file.withBytes { bytes throws(DataError) in
      try PredictionFile(bytes, name: path)
    }
  }

  /// Reads a file in memory; `name` is for messages.
  package init(_ bytes: UnsafeRawBufferPointer, name: String) throws(DataError) {
    self.name = name
    let first = bytes.first { ![0x20, 0x0A, 0x0D, 0x09, 0xEF, 0xBB, 0xBF].contains($0) }
    guard let first else { throw DataError("\(name): the file is empty", isMissing: true) }
    if first == UInt8(ascii: "[") || first == UInt8(ascii: "{") {
      try readJSON(bytes)
    } else if let lines = PredictionLines.read(bytes, name: name) {
      form = .lines
      entries = lines
    } else {
      entries = try PredictionTable.read(bytes, name: name)
    }
    guard !entries.isEmpty else { throw DataError("\(name): no records in it", isMissing: true) }
  }

  /// A distribution as it must be: numbers of 0 or more that sum to 1; nil for none.
  static func distribution(
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

  private mutating func readJSON(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    var reader = JSONRecords(bytes, readsNonFinite: true)
    while true {
      let record: JSON?
      do throws(JSONError) {
        record = try reader.next()
      } catch {
        throw DataError("\(name): record \(entries.count + 1): not JSON: \(error)")
      }
      guard let record else { return }
      let (form, entry) = try Self.entry(record, "\(name): record \(entries.count + 1)")
      if entries.isEmpty { self.form = form }
      guard form == self.form else {
        throw DataError("\(entry.place): holds \(form.rawValue), the first \(self.form.rawValue)")
      }
      entries.append(entry)
    }
  }

  private static func entry(
    _ record: JSON, _ place: String
  ) throws(DataError) -> (Form, Prediction) {
    var entry = try label(record, place)
    if let levels = record["logits"], let values = self.levels(levels) {
      entry.score = LevelScore.expectation(logits: values)
      return (.levels, entry)
    }
    if let levels = record["probs"], let values = self.levels(levels),
      values.allSatisfy({ $0 >= 0 })
    {
      entry.score = LevelScore.expectation(values)
      return (.probabilities, entry)
    }
    if let good = record["logit_good"]?.double, let poor = record["logit_poor"]?.double {
      entry.score = DistributionDistance.logistic(good - poor)
      return (.goodAndPoor, entry)
    }
    guard let name = own(PredictionNames.score, record).first else {
      throw DataError(
        "\(place): needs score, logits, probs, or logit_good and logit_poor; it has "
          + (record.members ?? []).map(\.name).joined(separator: ", "))
    }
    entry.score = number(record[name])
    entry.reason = record["error"]?["message"]?.string
    if record[name]?.isNull == false {
      entry.distribution = try distribution(
        record["distribution"]?.array?.map(\.double), "distribution", place)
    }
    return (.records, entry)
  }

  /// The picture and the ground truth of a record.
  private static func label(_ record: JSON, _ place: String) throws(DataError) -> Prediction {
    var entry = Prediction(place: place)
    for name in own(PredictionNames.image, record) where entry.image == nil {
      guard let value = record[name] else { continue }
      entry.image = value.string ?? value.int.map(String.init)
      if entry.image == nil { entry.image = try PictureCell.path(value, "\(place): \(name)") }
    }
    entry.truth = own(PredictionNames.truth, record).lazy.compactMap { number(record[$0]) }.first
    // DeQA-Score's ids end in the ground truth.
    if let id = record["id"]?.string, let score = LevelRecord.score(id) {
      entry.truth = entry.truth ?? score
      if record["image"] == nil, let arrow = id.ranges(of: "->").last {
        entry.image = String(id[..<arrow.lowerBound])
      }
    }
    entry.target = try distribution(record["target"]?.array?.map(\.double), "target", place)
    return entry
  }

  /// The members of a record with one of these names, in the order of `names`, in any letter case.
  private static func own(_ names: [String], _ record: JSON) -> [String] {
    let members = (record.members ?? []).map(\.name)
    return names.compactMap { name in members.first { $0.lowercased() == name } }
  }

  /// A number, or a text that is one.
  private static func number(_ value: JSON?) -> Double? {
    value?.double ?? value?.string.flatMap(PredictionNumber.read)
      ?? value?.array.flatMap { $0.count == 1 ? number($0[0]) : nil }
  }

  /// The values of the five words, from excellent to bad.
  private static func levels(_ value: JSON) -> [Double]? {
    let values = LevelScore.words.compactMap { value[$0]?.double }
    return values.count == 5 && values.allSatisfy(\.isFinite) ? values : nil
  }
}

extension PredictionFile {
  /// The entries of a file that may hold labels without scores.
  static func labels(_ path: String) throws(DataError) -> [Prediction] {
    let file = try MappedFile.ofData(path)
    return try file.withBytes { bytes throws(DataError) in
      let first = bytes.first { $0 > 0x20 && ![0xEF, 0xBB, 0xBF].contains($0) }
      guard first == UInt8(ascii: "[") || first == UInt8(ascii: "{") else {
        return try PredictionTable.read(bytes, name: path, needsScore: false)
      }
      var reader = JSONRecords(bytes, readsNonFinite: true)
      var entries: [Prediction] = []
      while true {
        let record: JSON?
        do throws(JSONError) {
          record = try reader.next()
        } catch {
          throw DataError("\(path): not JSON: \(error)")
        }
        guard let record else { return entries }
        entries.append(try Self.label(record, "\(path): record \(entries.count + 1)"))
      }
    }
  }

  /// Predictions that have ground truth, and what became of the others.
  package struct Pairs: Sendable {
    package var pairs = ScoredPairs()
    /// Records that repeat an earlier one of the same picture.
    package var duplicates = 0
    /// Records of pictures of the dataset that are not in the split: not failures.
    package var outside = 0
    /// Records whose own ground truth differs from the given one, which counts.
    package var overruled = 0
    /// The pictures of the pairs, as the given ground truth calls them; empty texts where the file
    /// names none.
    package var images: [ImageKey] = []
    /// Entries in all, without duplicates.
    package var count = 0
    /// Entries that cannot be used, with place and reason.
    package var failures: [String] = []
  }

  /// Pairs with the file's own ground truth, or with another's.
  ///
  /// - Parameter truth: Ground truth by picture, for files that hold none; nil takes the file's.
  /// - Returns: The pairs in the order of the file, and every entry that is not among them.
  /// - Throws: `DataError` when no entry has ground truth, or two contradict each other.
  package func pairs(truth: GroundTruth? = nil) throws(DataError) -> Pairs {
    var result = Pairs()
    result.count = entries.count
    guard truth != nil || entries.contains(where: { $0.truth != nil }) else {
      throw DataError(
        """
        \(name): holds no ground truth (gt_score); give it with --ground-truth FILE, or with \
        --dataset and --split
        """, isMissing: true)
    }
    var hasDistributions = true
    var first: [ImageKey: (place: String, score: Double, truth: Double)] = [:]
    for entry in entries {
      let known = truth?.label(entry.image)
      if entry.score == nil, let reason = entry.reason, truth?.isOutside(entry.image) != true {
        result.failures.append("\(entry.place): \(reason)")
        continue
      }
      guard let gt = truth == nil ? entry.truth : known?.score, gt.isFinite else {
        if let truth {
          if truth.isOutside(entry.image) {
            result.outside += 1
            result.count -= 1
            continue
          }
          let hint = truth.hint(entry.image)
          result.failures.append(
            "\(entry.place): \(entry.image ?? "") has no ground truth\(hint.map { ": \($0)" } ?? "")"
          )
        } else {
          result.failures.append("\(entry.place): gt_score is no finite number")
        }
        continue
      }
      guard let score = entry.score, score.isFinite else {
        result.failures.append("\(entry.place): score is no finite number")
        continue
      }
      let image = known?.key ?? ImageKey(entry.image ?? "")
      if let own = entry.truth, abs(own - gt) > 1e-6 * max(1, abs(gt)) { result.overruled += 1 }
      if !image.text.isEmpty,
        let other = first.updateValue((entry.place, score, gt), forKey: image)
      {
        guard other.score == score, other.truth == gt else {
          throw DataError(
            """
            \(entry.place): \(image) has the score \(score) and gt_score \(gt), but \(other.score) \
            and \(other.truth) in \(other.place); a picture can count only once
            """)
        }
        result.duplicates += 1
        result.count -= 1
        continue
      }
      result.pairs.predicted.append(score)
      result.pairs.truth.append(gt)
      result.images.append(image)
      if let p = entry.distribution, let t = entry.target ?? known?.distribution {
        result.pairs.distributions.append((predicted: p, truth: t))
      } else {
        hasDistributions = false
      }
    }
    if !hasDistributions { result.pairs.distributions = [] }
    return result
  }
}
