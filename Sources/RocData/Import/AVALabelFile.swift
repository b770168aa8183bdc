import RocNames
import RocStore
import RocTables

/// The rows of AVA.txt: 15 whole numbers each.
///
/// `index  image_id  c1 … c10  tag1  tag2  challenge`, c1 counting the votes for 1.
struct AVALabelFile: Sendable {
  /// One picture's row without its votes.
  struct Row: Sendable {
    let id: Int
    /// From 1.
    let line: Int
    let index: Int
    let tag1: Int
    let tag2: Int
    let challenge: Int
    /// Where its counts begin.
    fileprivate let place: Int

    /// The columns besides the votes, as a JSON object.
    var extra: String {
      VoteText.encode(heads: Self.heads, numbers: [index, tag1, tag2, challenge])
    }

    fileprivate func hasTags(of other: Row) -> Bool {
      tag1 == other.tag1 && tag2 == other.tag2 && challenge == other.challenge
    }

    private static let heads: [StaticString] = [
      "{\"index\":", ",\"tag1\":", ",\"tag2\":", ",\"challenge\":",
    ]
  }

  static let columns = 15
  private static let bins = 10

  private(set) var rows: [Row] = []
  /// 10 counts per row: an array for each of a quarter of a million rows would take 30 MB.
  private var counts: [Int32] = []
  /// Label lines, blank ones not counted.
  private(set) var lineCount = 0
  private(set) var skipped: [SetAsideLine] = []
  /// Lines that repeat an earlier one.
  private(set) var duplicates = 0

  /// Whether these are the demo's: its ids are known, and no ten pictures of AVA have such ids.
  var isMadeUp: Bool {
    rows.count >= 10
      && rows.allSatisfy {
        $0.id >= DemoDataset.firstID && ($0.id - DemoDataset.firstID) % DemoDataset.idStep == 0
      }
  }

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
        let row = try Self.row(numbers, line: number, place: counts.count)
        let votes = numbers[2..<2 + Self.bins]
        if let earlier = places[row.id].map({ rows[$0] }) {
          guard self.votes(earlier).elementsEqual(votes) else {
            throw DataError("image \(row.id) has other votes in line \(earlier.line)")
          }
          guard row.hasTags(of: earlier) else {
            throw DataError("image \(row.id) has other tags in line \(earlier.line)")
          }
          duplicates += 1
        } else {
          places[row.id] = rows.count
          rows.append(row)
          counts.append(contentsOf: votes.lazy.map { Int32($0) })
        }
      } catch {
        skipped.append(
          SetAsideLine(
            file: reader.name, line: number, reason: error.message,
            content: String(decoding: line, as: UTF8.self)))
      }
    }
  }

  /// The counts of the ratings 1 to 10.
  func votes(_ row: Row) -> [Int] { counts[row.place..<row.place + Self.bins].map { Int($0) } }

  private static func row(_ numbers: [Int], line: Int, place: Int) throws(DataError) -> Row {
    guard numbers.count == columns else {
      throw DataError("\(numbers.count) columns, expected \(columns)")
    }
    guard numbers[1] > 0 else { throw DataError("image id \(numbers[1])") }
    let votes = numbers[2..<2 + bins]
    guard votes.allSatisfy({ $0 >= 0 && $0 <= 1_000_000_000 }) else {
      throw DataError("votes \(Array(votes)), expected counts of 0 or more")
    }
    guard votes.contains(where: { $0 > 0 }) else {
      throw DataError("no votes, so there is no mean")
    }
    return Row(
      id: numbers[1], line: line, index: numbers[0], tag1: numbers[12], tag2: numbers[13],
      challenge: numbers[14], place: place)
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
