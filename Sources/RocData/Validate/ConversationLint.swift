package import RocJSON
package import RocNames
package import RocScore

/// What is wrong with one record of a conversation file.
package struct Finding: Sendable, Equatable {
  /// The record's place in the file, from 1.
  package let record: Int
  package let field: String
  package let message: String

  package init(record: Int, field: String, message: String) {
    self.record = record
    self.field = field
    self.message = message
  }

  package var json: JSON {
    ["record": .int(record), "field": .string(field), "message": .string(message)]
  }
}

/// Checks conversation records against what training needs.
package struct ConversationLint: Sendable {
  /// Bins of `target`; nil takes what the first record has.
  package var tokens: Int?
  /// The scale of `gt_score`; nil leaves the range unchecked.
  package var range: ScoreRange?
  /// Says why a picture cannot be read; nil leaves pictures unchecked.
  package var findImage: (@Sendable (ImageKey) -> String?)?

  /// Whether a record without `target` is an error: it is compared by CE and EMD.
  package var needsTarget = false

  package private(set) var errors: [Finding] = []
  package private(set) var warnings: [Finding] = []
  package private(set) var records = 0

  package init(
    tokens: Int?, range: ScoreRange?, findImage: (@Sendable (ImageKey) -> String?)? = nil
  ) {
    self.tokens = tokens
    self.range = range
    self.findImage = findImage
  }

  /// Reads all records of a file; text that is not JSON counts as a record with an error.
  package mutating func check(file bytes: UnsafeRawBufferPointer) {
    var reader = JSONRecords(bytes, readsNonFinite: true)
    while true {
      do throws(JSONError) {
        guard let record = try reader.next() else { break }
        check(record)
      } catch {
        records += 1
        let goesOn = reader.skipRecord()
        fail("record", "not JSON: \(error)\(goesOn ? "" : "; the rest of the file was not read")")
        if !goesOn { return }
      }
    }
    if records == 0 {
      errors.append(Finding(record: 0, field: "record", message: "the file holds no records"))
    }
  }

  mutating func fail(_ field: String, _ message: String) {
    errors.append(Finding(record: records, field: field, message: message))
  }

  /// Checks the next record.
  package mutating func check(_ record: JSON) {
    records += 1
    guard let members = record.members else {
      return fail("record", "is \(record.kind), expected an object")
    }
    var names: Set<ExactText> = []
    for member in members where !names.insert(member.name) {
      fail(member.name, "stands twice; readers disagree which one counts")
    }
    checkImage(record)
    let scores = checkScores(record)
    checkConversations(record, scores: scores?.count)
    if let target = record["target"], !target.isNull {
      if let scores { checkTarget(target, scores: scores) }
    } else if needsTarget {
      fail(
        "target",
        """
        is missing; CE and EMD compare it with the predicted distribution. Export votes, or leave \
        it out on purpose: validate --allow-missing-target, roc-train --ce-weight 0 --emd-weight 0
        """)
    }
  }

  private mutating func checkImage(_ record: JSON) {
    guard let image = record["image"] else { return fail("image", "is missing") }
    guard let name = image.string, !name.isEmpty else {
      return fail("image", "is \(image.line.prefix(60)), expected a file name")
    }
    if name.contains("\\") {
      fail("image", "\(name) has a backslash; write folders with /")
    } else if let findImage, let reason = findImage(ImageKey(name)) {
      fail("image", "\(name): \(reason)")
    }
  }

  /// The scores of a record, when all are usable.
  private mutating func checkScores(_ record: JSON) -> [Double]? {
    guard let value = record["gt_score"] else {
      fail("gt_score", "is missing")
      return nil
    }
    let list = value.array ?? [value]
    let scores = list.compactMap(\.double)
    guard scores.count == list.count, !list.isEmpty else {
      fail("gt_score", "is \(value.line.prefix(60)), expected a number or a list of numbers")
      return nil
    }
    guard scores.allSatisfy(\.isFinite) else {
      fail("gt_score", "holds \(scores.first { !$0.isFinite } ?? .nan), expected finite numbers")
      return nil
    }
    guard let range else { return scores }
    for score in scores where !range.contains(score) {
      fail("gt_score", "\(score) is outside \(range.low) to \(range.high)")
    }
    return scores
  }

  /// One block of `tokens` probabilities for each score.
  private mutating func checkTarget(_ target: JSON, scores: [Double]) {
    guard let list = target.array else {
      return fail("target", "is \(target.kind), expected a list of numbers")
    }
    let values = list.compactMap(\.double)
    guard values.count == list.count else {
      let odd = list.first { $0.double == nil }
      return fail("target", "holds \(odd?.line.prefix(40) ?? ""), expected numbers")
    }
    if tokens == nil, !values.isEmpty, values.count % scores.count == 0 {
      tokens = values.count / scores.count
    }
    guard let tokens, values.count == scores.count * tokens else {
      let wanted = tokens.map { "\(scores.count * $0)" } ?? "a multiple of \(scores.count)"
      let split = scores.count == 1 ? "num_tokens" : "\(scores.count) scores x num_tokens"
      return fail("target", "\(values.count) values, expected \(wanted) (\(split))")
    }
    for (i, score) in scores.enumerated() {
      let block = values[i * tokens..<(i + 1) * tokens]
      let name = scores.count == 1 ? "target" : "target[\(i * tokens)..<\((i + 1) * tokens)]"
      if let odd = block.first(where: { $0 < 0 || !$0.isFinite }) {
        fail(name, "holds \(odd), expected finite numbers of 0 or more")
        continue
      }
      let sum = block.reduce(0, +)
      guard abs(sum - 1) <= 1e-6 else {
        fail(name, "sums to \(sum), expected 1")
        continue
      }
      compareExpectation(Array(block), score: score, field: name)
    }
  }

  private mutating func compareExpectation(_ block: [Double], score: Double, field: String) {
    guard let range, block.count > 1 else { return }
    let step = range.width / Double(block.count - 1)
    let expected = block.enumerated().reduce(0.0) {
      $0 + $1.element * (range.low + Double($1.offset) * step)
    }
    if abs(expected - score) > 1e-6 * range.width {
      warnings.append(
        Finding(
          record: records, field: field,
          message: "its expected score is \(expected), gt_score is \(score)"))
    }
  }
}
