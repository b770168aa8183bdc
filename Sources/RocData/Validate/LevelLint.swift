package import RocJSON
import RocMetrics
package import RocNames
package import RocScore
import RocTables

/// Checks Q-Align's and DeQA-Score's records: text levels in place of score tokens.
package struct LevelLint: Sendable {
  /// The scale of `gt_score`; nil leaves the range unchecked.
  package var range: ScoreRange?
  /// Says why a picture cannot be read; nil leaves pictures unchecked.
  package var findImage: (@Sendable (ImageKey) -> String?)?
  /// Whether `level_probs` are expected.
  private let isDeQA: Bool
  /// Whether low scores are the good ones.
  private let isLowerBetter: Bool

  package private(set) var errors: [Finding] = []
  package private(set) var warnings: [Finding] = []
  package private(set) var records = 0
  private var objects = 0
  private var withTurns = 0
  private var levels: [Double] = []
  private var scores: [Double] = []
  private var images: [ImageKey: Int] = [:]

  package init(
    isDeQA: Bool, range: ScoreRange?, isLowerBetter: Bool = false,
    findImage: (@Sendable (ImageKey) -> String?)? = nil
  ) {
    self.isDeQA = isDeQA
    self.isLowerBetter = isLowerBetter
    self.range = range
    self.findImage = findImage
  }

  /// Reads all records of a file.
  package mutating func check(file bytes: UnsafeRawBufferPointer) {
    var reader = JSONRecords(bytes, readsNonFinite: true)
    let isArray = bytes.drop { $0 <= 0x20 || $0 >= 0xBB }.first == UInt8(ascii: "[")
    while true {
      do throws(JSONError) {
        guard let record = try reader.next() else { break }
        check(record)
      } catch {
        records += 1
        let goesOn = reader.skipRecord()
        fail("record", "not JSON: \(error)\(goesOn ? "" : "; the rest of the file was not read")")
        if !goesOn { break }
      }
    }
    if records == 0 {
      errors.append(Finding(record: 0, field: "record", message: "the file holds no records"))
    } else if !isArray {
      warnings.append(
        Finding(
          record: 0, field: "file",
          message: "records back to back or one a line; Q-Align's reader wants one JSON array"))
    }
    checkDirection()
    if withTurns > 0, withTurns < objects {
      errors.append(
        Finding(
          record: 0, field: "conversations",
          message: """
            \(objects - withTurns) of \(objects) records have no conversations: training and test \
            records are mixed
            """))
    }
  }

  /// What the records are: training records hold conversations, test records do not.
  package var kind: String {
    "\(isDeQA ? "DeQA-Score" : "Q-Align") \(withTurns > 0 ? "training" : "test") records"
  }

  /// Levels that fall while scores rise: a scale on which low is good was taken for one on which
  /// high is good.
  private mutating func checkDirection() {
    guard levels.count >= 10, let srcc = Correlation.spearman(levels, scores), srcc < 0 else {
      return
    }
    let reason =
      isLowerBetter
      ? """
      with low scores as the good ones the best pictures are called bad (SRCC of levels and -scores \
      \(fixed(srcc, 3))), as in Q-Align's files of DMOS; --fix --lower-is-better turns the levels round
      """
      : """
      the levels run against the scores (SRCC \(fixed(srcc, 3))): the best pictures are called bad, \
      which --fix turns round; where low scores are the good ones say --lower-is-better
      """
    errors.append(Finding(record: 0, field: "conversations", message: reason))
  }

  private mutating func fail(_ field: String, _ message: String) {
    errors.append(Finding(record: records, field: field, message: message))
  }

  private mutating func warn(_ field: String, _ message: String) {
    warnings.append(Finding(record: records, field: field, message: message))
  }

  /// Checks the next record.
  package mutating func check(_ record: JSON) {
    records += 1
    guard record.members != nil else {
      return fail("record", "is \(record.kind), expected an object")
    }
    objects += 1
    let pictures = checkImage(record)
    let score = checkScore(record)
    if let turns = record["conversations"] {
      withTurns += 1
      let level = checkTurns(turns, pictures: pictures)
      // DeQA-Score's norm runs from the worst to the best on every scale.
      let sense = record["gt_score_norm"]?.double ?? score.map { isLowerBetter ? -$0 : $0 }
      if let level, let sense {
        levels.append(Double(level.rawValue))
        scores.append(sense)
      }
    }
    if let probabilities = record["level_probs"] { checkProbabilities(probabilities, record) }
  }

  /// Checks the record's pictures; returns how many it has.
  private mutating func checkImage(_ record: JSON) -> Int {
    let field = record["image"] == nil ? "img_path" : "image"
    guard let value = record[field] else {
      fail("image", "is missing")
      return 1
    }
    if field == "img_path" { warn("img_path", "training reads image, not img_path") }
    let names = (value.array ?? [value]).compactMap(\.string)
    guard !names.isEmpty, names.count == (value.array ?? [value]).count, !names.contains("") else {
      fail(field, "is \(value.line.prefix(60)), expected a file name")
      return 1
    }
    for name in names {
      if name.contains("\\") {
        fail(field, "\(name) has a backslash; write folders with /")
      } else if let findImage, let reason = findImage(ImageKey(name)) {
        fail(field, "\(name): \(reason)")
      }
    }
    let name = ImageKey(names.joined(separator: "\n"))
    if let earlier = images[name] {
      warn(field, "\(names[0]) stands in record \(earlier), too")
    } else {
      images[name] = records
    }
    return names.count
  }

  private mutating func checkScore(_ record: JSON) -> Double? {
    guard let value = record["gt_score"] else {
      let stated = record["id"]?.string.flatMap(LevelRecord.score)
      if stated != nil {
        warn("gt_score", "is missing; the score stands in id after ->")
      } else if record["conversations"] == nil {
        fail("gt_score", "is missing")
      }
      return stated
    }
    guard let score = value.double else {
      if let text = value.string, let score = Double(decimal: text.trimmingBlanks) {
        fail("gt_score", "is the text \"\(text)\", expected a number")
        return score
      }
      fail("gt_score", "is \(value.line.prefix(60)), expected a number")
      return nil
    }
    guard score.isFinite else {
      fail("gt_score", "is \(score), expected a finite number")
      return nil
    }
    if let range, !range.contains(score) {
      fail("gt_score", "\(score) is outside \(range.low) to \(range.high)")
    }
    return score
  }

  private mutating func checkTurns(_ value: JSON, pictures: Int) -> QualityLevel? {
    guard let turns = value.array, turns.count >= 2, turns.count % 2 == 0 else {
      fail("conversations", "is no list of questions and answers")
      return nil
    }
    var marks = 0
    var level: QualityLevel?
    for (i, turn) in turns.enumerated() {
      let field = "conversations[\(i)]"
      let role = i % 2 == 0 ? "human" : "gpt"
      guard turn["from"]?.string == role, let text = turn["value"]?.string else {
        fail(field, "expected {\"from\": \"\(role)\", \"value\": text}")
        return nil
      }
      if role == "human" {
        marks += text.occurrences(of: ConversationExport.mark)
        continue
      }
      if text.occurrences(of: ConversationExport.mark) > 0 {
        fail("\(field).value", "an answer holds <|image|>")
      }
      guard level == nil else { continue }
      level = LevelRecord.level(text)
      if level == nil {
        let words = QualityLevel.allCases.map(\.word).joined(separator: ", ")
        fail("\(field).value", "\"\(text.prefix(60))\" ends with none of \(words)")
      }
    }
    // Videos have several frames under one name.
    let isVideo = marks == 8 && pictures == 1
    if marks != pictures, !isVideo {
      fail("conversations", "\(marks) <|image|> marks, expected \(pictures)")
    }
    return level
  }

  private mutating func checkProbabilities(_ value: JSON, _ record: JSON) {
    let list = value.array?.compactMap(\.double) ?? []
    guard list.count == 5, list.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      return fail("level_probs", "is \(value.line.prefix(60)), expected five numbers of 0 or more")
    }
    let sum = list.reduce(0, +)
    // DeQA-Score cuts off negative values and does not divide by the sum, which may then exceed 1.
    if sum < 0.95 || sum > 1.25 { fail("level_probs", "sums to \(sum), expected about 1") }
    guard let score = record["gt_score_norm"]?.double else {
      return warn("gt_score_norm", "is missing; the mean of level_probs cannot be checked")
    }
    let mean = zip([5.0, 4, 3, 2, 1], list).reduce(0) { $0 + $1.0 * $1.1 }
    if abs(mean - score) > 0.1 {
      warn("level_probs", "its mean is \(mean), gt_score_norm is \(score)")
    }
  }
}

/// What Q-Align's records say in their texts.
enum LevelRecord {
  /// The number after the last `->` of an id.
  static func score(_ id: String) -> Double? {
    guard let arrow = id.ranges(of: "->").last else { return nil }
    return Double(decimal: String(id[arrow.upperBound...]).trimmingBlanks)
  }

  /// The level with which an answer ends.
  static func level(_ answer: String) -> QualityLevel? {
    let words = answer.split { !$0.isLetter }
    return words.last.flatMap { QualityLevel(word: String($0)) }
  }
}
