import RocJSON
import RocTables

/// The cells of a vote histogram.
struct VoteCells {
  /// Nil where the file has shares and no total: counts are never made up.
  let counts: [Int]?
  /// Counts or shares.
  private let values: [Double]

  /// - Parameters:
  ///   - row: Of the file.
  ///   - reader: The file.
  ///   - votes: Which columns.
  ///   - bins: How many numbers there must be.
  ///   - areShares: Lists are shares, not counts.
  /// - Throws: `DataError` for a cell that is no number, a list of another length than `bins`, and
  ///   for sums and counts that cannot be.
  init(
    _ row: TableRow, _ reader: TableReader, _ votes: Manifest.VoteColumns, bins: Int? = nil,
    areShares: Bool = false
  ) throws(DataError) {
    var values: [Double] = []
    for column in votes.columns {
      values.append(try TableSamples.number(row, reader, column))
    }
    if let column = votes.list { values = try Self.list(row, reader, column) }
    if let bins, values.count != bins {
      throw DataError("\(votes.list ?? "votes") has \(values.count) numbers, expected \(bins)")
    }
    self.values = values
    let sum = values.reduce(0, +)
    if votes.list != nil {
      guard sum > 0, values.allSatisfy({ $0 >= 0 }) else {
        throw DataError("\(votes.list ?? "") has no votes or negative ones")
      }
      if areShares, votes.total == nil {
        counts = nil
        return
      }
    }
    var scale = 1.0
    if let column = votes.total {
      let total = try TableSamples.number(row, reader, column)
      if abs(sum - 1) < 1e-6, total != 1 {
        scale = total
      } else if abs(sum - total) > 1e-6 {
        throw DataError("votes sum to \(sum), expected 1 or \(column) \(total)")
      }
    }
    var counts: [Int] = []
    for value in values {
      let count = value * scale
      guard count >= 0, count < 1e9, abs(count - count.rounded()) < 1e-4 else {
        throw DataError("\(value) of \(scale) votes is no whole count")
      }
      counts.append(Int(count.rounded()))
    }
    self.counts = counts
  }

  /// Whether a file's lists are shares of votes or percentages, not counts: one number that is not
  /// whole says so for all lists of the file.
  static func areShares(_ reader: TableReader) -> Bool {
    guard let column = reader.table.votes?.list else { return false }
    var result = false
    _ = reader.eachRow { row in
      guard !result, let values = try? list(row, reader, column) else { return }
      result = values.contains { $0 != $0.rounded() }
    }
    return result
  }

  /// The mean of the votes on the scale of their bins.
  func mean(_ bins: Manifest.Votes) -> Double {
    var total = 0.0
    var weighted = 0.0
    for (place, value) in values.enumerated() {
      total += value
      weighted += value * (bins.first + Double(place) * bins.step)
    }
    return weighted / total
  }

  /// The numbers of a list: JSON's, or numbers between commas, semicolons or blanks.
  private static func list(
    _ row: TableRow, _ reader: TableReader, _ column: String
  ) throws(DataError) -> [Double] {
    let text = reader.field(row, column) ?? ""
    let isJSON = text.utf8.first == UInt8(ascii: "[")
    let cells = isJSON ? (try? JSON.parse(text))?.array : nil
    let plain = text.split { ",; \t".contains($0) }
    let values =
      isJSON ? (cells ?? []).compactMap(\.double) : plain.compactMap { Double(decimal: String($0)) }
    let count = isJSON ? cells?.count ?? -1 : plain.count
    guard values.count == count, count > 0, values.allSatisfy(\.isFinite) else {
      throw DataError(
        "\(column) is \(text.isEmpty ? "empty" : "\"\(text.prefix(80))\""), expected a list of numbers"
      )
    }
    return values
  }
}
