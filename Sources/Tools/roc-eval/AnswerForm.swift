import RocData
import RocJSON
import RocModel
import RocNames

/// How a file of answers is written: JSON Lines, or CSV with a header.
struct AnswerForm {
  /// Names of the distribution's columns; nil for JSON Lines.
  private let columns: [String]?

  static let jsonLines = AnswerForm(columns: nil)

  /// `image,score,p1…pN,scores,text,error,run`; the levels' names in place of p1…pN.
  ///
  /// - Parameter bins: The names of the distribution's columns.
  /// - Returns: The form with that header.
  static func csv(bins: [String]) -> AnswerForm { AnswerForm(columns: bins) }

  private init(columns: [String]?) { self.columns = columns }

  /// The first line, without its end.
  var header: String? {
    columns.map {
      (["image", "score"] + $0 + ["scores", "text", "error", "run"]).joined(separator: ",")
    }
  }

  /// One record without its line end.
  func record(_ image: String, _ outcome: ScoredPicture, run: String) -> String {
    guard let columns else {
      let own = outcome.json(image: image).members ?? []
      return JSON.object(own + [.init("run", .string(run))]).line
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
    return (fields + [run]).map(Escaped.csv).joined(separator: ",")
  }

  /// Whose answer a record is, what made it, and whether it is none.
  func read(_ record: ArraySlice<UInt8>) -> (image: String, run: String, isFailed: Bool)? {
    guard let columns else {
      guard let value = try? JSON.parse(String(decoding: record, as: UTF8.self)),
        let image = value["image"]?.string, let run = value["run"]?.string
      else { return nil }
      return (image, run, value["error"]?.isNull == false)
    }
    let rows = try? record.withUnsafeBytes { bytes throws(DataError) in
      try CSVFile(bytes, name: "").header
    }
    guard let fields = rows, fields.count == columns.count + 6, let run = fields.last else {
      return nil
    }
    return (fields[0], run, fields[1].isEmpty)
  }

  /// Whether bytes are the beginning of a record, or of the header, that was not written to its end.
  func begins(_ bytes: ArraySlice<UInt8>) -> Bool {
    let start = Array((header ?? "{\"schema\": \"roc/score/1\", \"image\": \"").utf8)
    return bytes.prefix(start.count).elementsEqual(start.prefix(bytes.count))
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
