package import RocJSON
package import RocModel
import RocNames
import RocTables

/// How a file of answers is written: JSON Lines, or CSV with a header.
package struct AnswerForm {
  /// Names of the distribution's columns; nil for JSON Lines.
  private let columns: [String]?

  package static let jsonLines = AnswerForm(columns: nil)

  /// `image,score,p1…pN,scores,text,error,modified,run`; the levels' names in place of p1…pN.
  ///
  /// - Parameter bins: The names of the distribution's columns.
  /// - Returns: The form with that header.
  package static func csv(bins: [String]) -> AnswerForm { AnswerForm(columns: bins) }

  private init(columns: [String]?) { self.columns = columns }

  /// The first line, without its end.
  package var header: String? {
    columns.map {
      (["image", "score"] + $0 + ["scores", "text", "error", "modified", "run"]).joined(
        separator: ",")
    }
  }

  /// One record without its line end.
  ///
  /// - Parameters:
  ///   - image: As given.
  ///   - outcome: Its answer, or why there is none.
  ///   - run: What made it.
  ///   - modified: When the picture was last modified, in seconds since 1970.
  /// - Returns: A line, or several where a name or a text of CSV has line ends.
  package func record(
    _ image: String, _ outcome: ScoredPicture, run: String, modified: Double?
  ) -> String {
    guard let columns else {
      let own = outcome.json(image: image).members ?? []
      return JSON.object(
        own + [.init("modified", JSON(modified)), .init("run", .string(run))]
      ).line
    }
    let answer = outcome.failure == nil ? outcome.answer : nil
    let distribution = answer?.levels ?? answer?.distributions.first ?? []
    var fields = [image, answer?.scores.first.map(\.description) ?? ""]
    for place in columns.indices {
      fields.append(place < distribution.count ? distribution[place].description : "")
    }
    fields.append(answer.map { JSON($0.scores).line } ?? "")
    fields.append(outcome.answer?.text ?? "")
    fields.append(outcome.failure.map { "\($0.code): \($0.message)" } ?? "")
    fields.append(modified?.description ?? "")
    return (fields + [run]).map(Escaped.csv).joined(separator: ",")
  }

  /// Whose answer a record is, and what made it.
  struct Record {
    let image: String
    let run: String
    let modified: Double?
    /// Whether there is no score.
    let isFailed: Bool
  }

  /// - Returns: Nil for a record of another form.
  func read(_ record: ArraySlice<UInt8>) -> Record? {
    guard let columns else {
      guard let value = try? JSON.parse(String(decoding: record, as: UTF8.self)),
        let image = value["image"]?.string, let run = value["run"]?.string
      else { return nil }
      return Record(
        image: image, run: run, modified: value["modified"]?.double,
        isFailed: value["error"]?.isNull == false)
    }
    let rows = try? record.withUnsafeBytes { bytes throws(DataError) in
      try CSVFile(bytes, name: "").header
    }
    guard let fields = rows, fields.count == columns.count + 7, let run = fields.last,
      run.utf8.count == 16
    else { return nil }
    return Record(
      image: fields[0], run: run, modified: Double(fields[fields.count - 2]),
      isFailed: fields[1].isEmpty)
  }

  /// Whether bytes are the header without its line end.
  func isHeader(_ bytes: ArraySlice<UInt8>) -> Bool {
    header.map { bytes.elementsEqual($0.utf8) } ?? false
  }

  /// Whether bytes can be the beginning of a record, or of the header, that was not written to its
  /// end; without a whole record before it, only where that is certain.
  func isBeginning(_ bytes: ArraySlice<UInt8>, ofFirst isFirst: Bool) -> Bool {
    let start = Array((header ?? "{\"schema\": \"roc/score/1\", \"image\": \"").utf8)
    if columns == nil {
      // A complete record of another program is not a truncated one of ours.
      guard (try? JSON.parse(String(decoding: bytes, as: UTF8.self))) == nil else { return false }
      return bytes.starts(with: start) || (!isFirst && start.starts(with: bytes))
    }
    if isFirst { return bytes.count >= 12 && start.starts(with: bytes) }
    // A quoted name, a number after the name, or no blank at all: not a remark.
    let isQuoted = bytes.first == 0x22
    return isQuoted
      || bytes.split(separator: 0x2C).dropFirst().first.map {
        Double(String(decoding: $0, as: UTF8.self)) != nil
      } == true || !bytes.contains(0x20)
  }

  /// The ranges of the records, without line ends.
  func records(_ bytes: ArraySlice<UInt8>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = bytes.startIndex
    var isQuoted = false
    for place in bytes.indices {
      if bytes[place] == 0x22, columns != nil { isQuoted.toggle() }
      guard bytes[place] == 0x0A, !isQuoted else { continue }
      if place > start { result.append(start..<place) }
      start = place + 1
    }
    return result
  }
}

extension ScoredPicture {
  /// The object of `score --jsonl`.
  package func json(image: String) -> JSON {
    let scores = failure == nil ? answer?.scores ?? [] : []
    let distributions = failure == nil ? answer?.distributions ?? [] : []
    var members: [JSON.Member] = [
      .init("schema", "roc/score/1"),
      .init("image", .string(image)),
      .init("score", JSON(scores.first)),
      .init("scores", JSON(scores)),
      .init("distribution", JSON(distributions.first ?? [])),
      .init("distributions", .array(distributions.map { JSON($0) })),
      .init("text", JSON(answer?.text)),
    ]
    if failure == nil, let levels = answer?.levels {
      let named = zip(LevelScoring.words, levels).map { JSON.Member($0, JSON($1)) }
      members.append(.init("levels", .object(named)))
    }
    members.append(
      .init(
        "error",
        failure.map { ["code": .string($0.code), "message": .string($0.message)] } ?? .null))
    return .object(members)
  }
}
