import RocTables

/// MATLAB variables as the columns of a table.
enum MATTable {
  /// - Throws: `DataError` when the variables have different lengths, or one cannot be a column.
  static func rows(
    _ variables: [String: MATFile.Value], _ table: Manifest.Table, name: String
  ) throws(DataError) -> (header: [String], rows: [TableRow]) {
    var header: [String] = []
    var columns: [[String]] = []
    for (column, variable) in (table.variables ?? [:]).sorted(by: { $0.key < $1.key }) {
      header.append(column)
      columns.append(try texts(variables[variable], variable, name: name))
    }
    if let matrix = table.matrix, var value = variables[matrix.variable] {
      if let cell = matrix.cell {
        guard case .cells(let cells) = value, cells.indices.contains(cell) else {
          throw DataError("\(name): \(matrix.variable) has no cell \(cell + 1)")
        }
        value = cells[cell]
      }
      guard case .numbers(let numbers, let size) = value, size.count == 2 else {
        throw DataError("\(name): \(matrix.variable) is no matrix of numbers")
      }
      guard size[1] == matrix.columns.count else {
        throw DataError(
          """
          \(name): \(matrix.variable) has \(size[1]) columns, expected \
          \(matrix.columns.joined(separator: ", "))
          """)
      }
      for (place, column) in matrix.columns.enumerated() {
        header.append(column)
        columns.append(numbers[(place * size[0])..<((place + 1) * size[0])].map(\.description))
      }
    }
    let lengths = Set(columns.map(\.count))
    guard lengths.count == 1, let count = lengths.first else {
      let list = zip(header, columns).map { "\($0) has \($1.count)" }.joined(separator: ", ")
      throw DataError("\(name): variables of different lengths: \(list)")
    }
    return (
      header,
      (0..<count).map { row in TableRow(line: row + 1, fields: columns.map { $0[row] }) }
    )
  }

  private static func texts(
    _ value: MATFile.Value?, _ variable: String, name: String
  ) throws(DataError) -> [String] {
    switch value {
    case .numbers(let numbers, _): return numbers.map(\.description)
    case .cells(let cells):
      var result: [String] = []
      for cell in cells {
        switch cell {
        case .text(let text): result.append(text)
        case .numbers(let numbers, _) where numbers.count == 1:
          result.append(numbers[0].description)
        // Names are often kept in a cell of their own.
        case .cells(let inner):
          guard inner.count == 1, case .text(let text) = inner[0] else { fallthrough }
          result.append(text)
        default: throw DataError("\(name): \(variable) holds a cell that is no text")
        }
      }
      return result
    case .text(let text): return [text]
    default: throw DataError("\(name): \(variable) is no list")
    }
  }
}
