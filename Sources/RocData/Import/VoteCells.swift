/// The cells of a vote histogram.
enum VoteCells {
  /// Integer counts; shares are turned into counts with the total that the file gives.
  static func counts(
    _ row: TableReader.Row, _ reader: TableReader, _ votes: Manifest.VoteColumns
  ) throws(DataError) -> [Int] {
    var values: [Double] = []
    for column in votes.columns {
      values.append(try TableSamples.number(row, reader, column))
    }
    let sum = values.reduce(0, +)
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
    return counts
  }
}
