import RocNames

/// Lines that hold several pictures, as crowdsourcing sites write the answers of one task.
enum WideRows {
  /// One row for each number from 1 to `count` and each line.
  ///
  /// `Answer.score1 … Answer.score10` become one column `Answer.score`; columns without a number are
  /// repeated. Lines whose width differs from the header's are set aside.
  static func split(
    header: [String], rows: [TableRow], count: Int, file: String
  ) -> (header: [String], rows: [TableRow], skipped: [SetAsideLine]) {
    var names: [String] = []
    var places: [[Int?]] = []
    for (place, column) in header.enumerated() {
      let digits = column.reversed().prefix { $0.isASCII && $0.isNumber }
      let stem = String(column.dropLast(digits.count))
      guard let number = Int(String(digits.reversed())), (1...count).contains(number), !stem.isEmpty
      else {
        names.append(column)
        places.append(Array(repeating: place, count: count))
        continue
      }
      if let known = names.firstIndex(where: { $0.isExactly(stem) }) {
        places[known][number - 1] = place
      } else {
        names.append(stem)
        places.append(Array(repeating: nil, count: count))
        places[places.count - 1][number - 1] = place
      }
    }
    let whole = rows.filter { $0.fields.count == header.count }
    let skipped = rows.filter { $0.fields.count != header.count }.map { row in
      SetAsideLine(
        file: file, line: row.line,
        reason: "\(row.fields.count) fields, expected \(header.count)",
        content: row.fields.joined(separator: ","))
    }
    let split = whole.flatMap { row in
      (0..<count).map { number in
        TableRow(
          line: row.line, fields: places.map { $0[number].map { row.fields[$0] } ?? "" })
      }
    }
    return (names, split, skipped)
  }
}
