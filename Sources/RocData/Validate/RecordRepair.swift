package import RocJSON
import RocNames
import RocTables

/// Mends what has one right answer in conversation records, and leaves the rest as it is.
///
/// Nothing is made up: a text that is a number becomes that number, a second copy of a question
/// goes, a score is taken from the id that states it. A level outside the five words becomes the
/// one that the record with the nearest score has.
package struct RecordRepair: Sendable {
  /// What was done with one record.
  package struct Change: Sendable, Equatable {
    package let record: Int
    package let message: String
  }

  package private(set) var changes: [Change] = []
  private let format: RecordFormat
  private var number = 0
  /// Scores and levels of the records whose levels are among the five words.
  private var known: [(score: Double, level: QualityLevel)] = []
  private var isReversed = false

  /// - Parameters:
  ///   - format: Whose records.
  ///   - records: All of the file: the levels of some tell those of others.
  ///   - isLowerBetter: Low scores are the good ones, so falling levels are right.
  package init(
    _ format: RecordFormat, learningFrom records: [JSON], isLowerBetter: Bool = false
  ) {
    self.format = format
    guard format != .roc else { return }
    for record in records {
      guard let score = Self.score(record), let answer = Self.answer(record),
        let level = LevelRecord.level(answer)
      else { continue }
      known.append((score, level))
    }
    known.sort { $0.score < $1.score }
    // One rule: the better a picture, the higher its level; low scores are better where stated.
    let byGoodness = isLowerBetter ? known.reversed().map { (-$0.score, $0.level) } : known
    isReversed = Self.runsAgainst(byGoodness)
  }

  /// Whether the worse half of the pictures has the higher levels.
  private static func runsAgainst(_ known: [(score: Double, level: QualityLevel)]) -> Bool {
    guard known.count >= 10 else { return false }
    let half = known.count / 2
    let low = known.prefix(half).reduce(0) { $0 + $1.level.rawValue }
    let high = known.suffix(half).reduce(0) { $0 + $1.level.rawValue }
    return low > high
  }

  private static func score(_ record: JSON) -> Double? {
    let value = record["gt_score"]
    return value?.double ?? value?.string.flatMap { Double(decimal: $0.trimmingBlanks) }
      ?? record["id"]?.string.flatMap(LevelRecord.score)
  }

  private static func answer(_ record: JSON) -> String? {
    record["conversations"]?.array?.first { $0["from"]?.string == "gpt" }?["value"]?.string
  }

  private mutating func note(_ message: String) {
    changes.append(Change(record: number, message: message))
  }

  /// The next record as it should be.
  package mutating func mend(_ record: JSON) -> JSON {
    number += 1
    guard let members = record.members else { return record }
    var seen: Set<ExactText> = []
    var result: [JSON.Member] = []
    for member in members {
      var name = member.name
      var value = member.value
      if name == "img_path", record["image"] == nil {
        name = "image"
        note("img_path is now image")
      }
      if name == "image", let text = value.string, text.containsBytes(of: "\\") {
        value = .string(PathName.withSlashes(text))
        note("backslashes in image are now /")
      }
      if name == "gt_score" { value = mendedScore(value) }
      if name == "target" { value = mendedTarget(value) }
      if name == "conversations" { value = mendedTurns(value, record) }
      guard seen.insert(name) else {
        if result.contains(where: { $0.name.isExactly(name) && $0.value == value }) {
          note("the second \(name), equal to the first, is gone")
          continue
        }
        result.append(.init(name, value))
        continue
      }
      result.append(.init(name, value))
    }
    if format != .roc, !seen.contains("gt_score"), let score = Self.score(record) {
      let place = result.firstIndex { $0.name == "image" }.map { $0 + 1 } ?? result.count
      result.insert(.init("gt_score", .double(score)), at: place)
      note("gt_score \(score) is taken from id")
    }
    return .object(result)
  }

  private mutating func mendedScore(_ value: JSON) -> JSON {
    if let text = value.string, let score = Double(decimal: text.trimmingBlanks) {
      note("gt_score \"\(text)\" is now a number")
      return .double(score)
    }
    return value
  }

  /// A target with texts as numbers, and divided by its sum where only rounding keeps that from 1.
  private mutating func mendedTarget(_ value: JSON) -> JSON {
    guard let list = value.array else { return value }
    var numbers: [Double] = []
    var hadText = false
    for item in list {
      if let number = item.double {
        numbers.append(number)
      } else if let number = item.string.flatMap({ Double(decimal: $0.trimmingBlanks) }) {
        numbers.append(number)
        hadText = true
      } else {
        return value
      }
    }
    if hadText { note("numbers of target that were texts are now numbers") }
    let sum = numbers.reduce(0, +)
    let off = abs(sum - 1)
    if off > 1e-6, off <= 1e-2, numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) {
      note("target summed to \(sum) and is divided by that")
      return JSON(numbers.map { $0 / sum })
    }
    return hadText ? JSON(numbers) : value
  }

  private mutating func mendedTurns(_ value: JSON, _ record: JSON) -> JSON {
    guard let list = value.array else { return value }
    let turns = withNames(list)
    let pictures = record["image"]?.array?.count ?? 1
    return .array(
      turns.map { turn in
        guard let text = turn["value"]?.string, let members = turn.members else { return turn }
        var mended = text
        if turn["from"]?.string == "human", pictures == 1 {
          mended = withoutSecondQuestion(text)
        } else if turn["from"]?.string == "gpt", format != .roc {
          mended = withLevel(text, Self.score(record))
        }
        guard !mended.isExactly(text) else { return turn }
        return .object(
          members.map { $0.name == "value" ? .init("value", .string(mended)) : $0 })
      })
  }

  /// Turns of chat programs, `role` and `content`, under the names that training reads.
  private mutating func withNames(_ turns: [JSON]) -> [JSON] {
    let roles = ["user": "human", "human": "human", "assistant": "gpt", "gpt": "gpt"]
    var isRenamed = false
    let result = turns.map { turn -> JSON in
      guard turn["from"] == nil, turn["value"] == nil, let role = turn["role"]?.string,
        let name = roles[role], let content = turn["content"], content.string != nil
      else { return turn }
      isRenamed = true
      return ["from": .string(name), "value": content]
    }
    if isRenamed { note("role and content are now from and value") }
    return result
  }

  /// Two questions of Q-Align's list ran together: the first with its mark stays.
  private mutating func withoutSecondQuestion(_ text: String) -> String {
    let mark = ConversationExport.mark
    let parts = text.byteRanges(of: mark)
    guard parts.count == 2, parts[0].lowerBound != text.startIndex else { return text }
    note("the second question and its <|image|> are gone")
    return String(text[..<parts[0].upperBound])
  }

  private mutating func withLevel(_ text: String, _ score: Double?) -> String {
    guard let level = LevelRecord.level(text) else {
      guard let score, let near = nearest(score),
        let last = text.split(whereSeparator: { !$0.isLetter }).last
      else { return text }
      let right = isReversed ? near.reversed : near
      note("\"\(last)\" is now \"\(right.word)\", the level of records with that score")
      return replacing(last, in: text, with: right.word)
    }
    guard isReversed else { return text }
    note("\"\(level.word)\" is now \"\(level.reversed.word)\": the levels ran against the scores")
    return replacing(Substring(level.word), in: text, with: level.reversed.word)
  }

  private func replacing(_ word: Substring, in text: String, with other: String) -> String {
    guard let range = text.byteRanges(of: String(word)).last else { return text }
    return text[..<range.lowerBound] + other + text[range.upperBound...]
  }

  /// The level of the known record whose score is nearest.
  private func nearest(_ score: Double) -> QualityLevel? {
    known.min { abs($0.score - score) < abs($1.score - score) }?.level
  }
}
