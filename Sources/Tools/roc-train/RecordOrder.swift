import RocCheckpoint
import RocFiles
import RocTool

/// A file of record numbers, in the order in which they are used.
enum RecordOrder {
  /// Reads places, counted from 0.
  ///
  /// Numbers count from 1 as in every message about records; a file that holds a 0 counts from 0.
  ///
  /// - Returns: At least one place.
  /// - Throws: `CommandError` when the file is missing or holds something else.
  static func read(_ path: String) throws -> [Int] {
    guard fileExists(path) else {
      throw CommandError(.dataMissing, "\(path): there is no such file")
    }
    let text = String(decoding: try readBytes(path), as: UTF8.self)
    let words = text.split { $0.isWhitespace || ",[]".contains($0) }
    let numbers = words.compactMap { Int($0) }
    guard numbers.count == words.count, !numbers.isEmpty, !numbers.contains(where: { $0 < 0 })
    else {
      let odd = words.first { Int($0).map { $0 < 0 } ?? true }
      throw CommandError(
        .usage,
        "\(path): holds \(odd.map { "\"\($0)\"" } ?? "nothing"), expected numbers of records")
    }
    return numbers.contains(0) ? numbers : numbers.map { $0 - 1 }
  }
}
