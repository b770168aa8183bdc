import RocStore

/// The rows of AVA.txt: 15 whole numbers each.
///
/// `index  image_id  c1 … c10  tag1  tag2  challenge`, c1 counting the votes for 1.
struct AVALabels {
  /// One picture's row.
  struct Row: Equatable {
    let id: Int
    /// From 1.
    let line: Int
    /// 10 counts.
    let votes: [Int]
    let index: Int
    /// tag1, tag2 and the challenge.
    let tags: [Int]

    /// The columns beside the votes, as a JSON object.
    var extra: String {
      VoteText.encode(heads: Self.heads, numbers: [index] + tags)
    }

    private static let heads: [StaticString] = [
      "{\"index\":", ",\"tag1\":", ",\"tag2\":", ",\"challenge\":",
    ]
  }

  static let columns = 15

  private(set) var rows: [Row] = []
  /// Label lines, blank ones not counted.
  private(set) var lineCount = 0
  private(set) var skipped: [SkippedLine] = []
  /// Lines that repeat an earlier one.
  private(set) var duplicates = 0

  init(_ reader: LineReader) {
    var numbers: [Int] = []
    var places: [Int: Int] = [:]
    reader.eachLine { number, line in
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
      lineCount += 1
      do throws(DataError) {
        if let field = splitIntegers(line, into: &numbers) {
          throw DataError("\"\(field.prefix(40))\" is not a whole number")
        }
        let row = try Self.row(numbers, line: number)
        if let earlier = places[row.id] {
          guard rows[earlier].votes == row.votes else {
            throw DataError("image \(row.id) has other votes in line \(rows[earlier].line)")
          }
          guard rows[earlier].tags == row.tags else {
            throw DataError("image \(row.id) has other tags in line \(rows[earlier].line)")
          }
          duplicates += 1
        } else {
          places[row.id] = rows.count
          rows.append(row)
        }
      } catch {
        skipped.append(
          SkippedLine(
            file: reader.name, line: number, reason: error.message,
            content: String(decoding: line, as: UTF8.self)))
      }
    }
  }

  private static func row(_ numbers: [Int], line: Int) throws(DataError) -> Row {
    guard numbers.count == columns else {
      throw DataError("\(numbers.count) columns, expected \(columns)")
    }
    guard numbers[1] > 0 else { throw DataError("image id \(numbers[1])") }
    let votes = Array(numbers[2..<12])
    guard votes.allSatisfy({ $0 >= 0 && $0 <= 1_000_000_000 }) else {
      throw DataError("votes \(votes), expected counts of 0 or more")
    }
    guard votes.contains(where: { $0 > 0 }) else {
      throw DataError("no votes, so there is no mean")
    }
    return Row(
      id: numbers[1], line: line, votes: votes, index: numbers[0], tags: Array(numbers[12...]))
  }

  /// Whether a file looks like AVA.txt: its first line with text has 15 whole numbers.
  static func recognises(_ reader: LineReader) -> Bool {
    var numbers: [Int] = []
    var verdict: Bool?
    reader.eachLine { _, line in
      guard verdict == nil, !line.isEmpty else { return }
      verdict = splitIntegers(line, into: &numbers) == nil && numbers.count == columns
    }
    return verdict ?? false
  }
}
