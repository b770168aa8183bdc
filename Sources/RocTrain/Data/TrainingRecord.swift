package import RocJSON
package import RocModel
package import RocNames

/// Why a record cannot be trained on.
package struct TrainingRecordError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The record's place in its file, from 1.
  package let record: Int
  package let field: String
  package let message: String

  package var description: String { "record \(record): \(field): \(message)" }
}

/// One record of a file in mPLUG-Owl2's conversation format, with the scores of ROC4MLLM.
///
/// `roc-data validate` says more about a file, and about all of its records; here the reading of a
/// record ends at the first thing that training could not use.
package struct TrainingRecord: Sendable, Equatable {
  /// The record's place in its file, from 1.
  package let number: Int
  package let id: String?
  /// The picture's file name; nil for a conversation without a picture.
  package let image: ImageKey?
  package let turns: [Turn]
  /// `gt_score`, one value for each `[SCORE]`; empty where the record has none.
  package let scores: [Double]
  /// [scores × score tokens], the distributions one after another.
  package let target: [Double]?

  /// - Parameters:
  ///   - json: The record.
  ///   - number: Its place in the file, from 1.
  ///   - tokens: The model's score tokens; `target` must have as many values for each score. Nil
  ///     only asks for equally many.
  /// - Throws: `TrainingRecordError` with the first field that cannot be used.
  package init(_ json: JSON, number: Int, tokens: Int? = nil) throws(TrainingRecordError) {
    guard json.members != nil else {
      throw TrainingRecordError(
        record: number, field: "record", message: "is \(json.kind), expected an object")
    }
    let fields = Fields(record: json, number: number)
    self.number = number
    id = try fields.id()
    image = try fields.image().map(ImageKey.init)
    turns = try fields.turns()
    scores = try fields.scores()
    target = try fields.target(scores: scores.count, tokens: tokens)
  }
}

/// Reads the fields of a record.
private struct Fields {
  let record: JSON
  let number: Int

  func id() throws(TrainingRecordError) -> String? {
    guard let value = value("id") else { return nil }
    guard let id = value.string ?? value.int.map(String.init) else {
      throw fault("id", "is \(value.excerpt), expected a text or an integer")
    }
    return id
  }

  func image() throws(TrainingRecordError) -> String? {
    guard let value = value("image") else { return nil }
    guard let name = value.string, !name.isEmpty else {
      throw fault("image", "is \(value.excerpt), expected a file name")
    }
    return name
  }

  /// Questions and answers in turn; an answer may come first.
  func turns() throws(TrainingRecordError) -> [Turn] {
    guard let value = value("conversations") else { throw fault("conversations", "is missing") }
    guard let list = value.array else {
      throw fault("conversations", "is \(value.kind), expected a list of turns")
    }
    var turns: [Turn] = []
    for (i, json) in list.enumerated() {
      let field = "conversations[\(i)]"
      guard let role = json["from"]?.string.flatMap(Turn.Role.init) else {
        throw fault(
          "\(field).from", "is \(json["from"]?.excerpt ?? "missing"), expected human or gpt")
      }
      guard let text = json["value"]?.string else {
        throw fault("\(field).value", "is missing or no text")
      }
      if role == turns.last?.role {
        throw fault("\(field).from", "is \(role.rawValue) like the turn before it")
      }
      turns.append(Turn(role, text))
    }
    guard turns.contains(where: { $0.role == .human }) else {
      throw fault("conversations", "has no question")
    }
    return turns
  }

  func scores() throws(TrainingRecordError) -> [Double] {
    guard let value = value("gt_score") else { return [] }
    return try numbers(value.array ?? [value], "gt_score", "a number or a list of numbers")
  }

  /// A list of numbers, or one list for each score.
  func target(scores: Int, tokens: Int?) throws(TrainingRecordError) -> [Double]? {
    guard let value = value("target") else { return nil }
    guard let list = value.array else {
      throw fault("target", "is \(value.kind), expected a list of numbers")
    }
    let target = try numbers(list.flatMap { $0.array ?? [$0] }, "target", "numbers")
    guard scores > 0 else { throw fault("target", "stands without gt_score") }
    let isWhole =
      tokens.map { target.count == scores * $0 }
      ?? (!target.isEmpty && target.count.isMultiple(of: scores))
    guard isWhole else {
      let wanted = tokens.map { "\(scores * $0)" } ?? "a multiple of \(scores)"
      let split = scores == 1 ? "num_tokens" : "\(scores) scores x num_tokens"
      throw fault("target", "\(target.count) values, expected \(wanted) (\(split))")
    }
    return target
  }

  private func numbers(
    _ list: [JSON], _ field: String, _ expected: String
  ) throws(TrainingRecordError) -> [Double] {
    var numbers: [Double] = []
    for value in list {
      guard let number = value.double else {
        throw fault(field, "holds \(value.excerpt), expected \(expected)")
      }
      guard number.isFinite else {
        throw fault(field, "holds \(number), expected finite numbers")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// A field's value; null counts as missing.
  private func value(_ field: String) -> JSON? {
    record[field].flatMap { $0.isNull ? nil : $0 }
  }

  private func fault(_ field: String, _ message: String) -> TrainingRecordError {
    TrainingRecordError(record: number, field: field, message: message)
  }
}

extension JSON {
  /// The beginning of the value as it would stand in a file.
  fileprivate var excerpt: Substring { line.prefix(60) }
}
