import GRDB

/// Inserts rows into one table, forty per statement: beginning and ending a statement costs as much
/// as a row.
///
/// Rows reach the table in order, at the latest with `flush`.
final class BulkInsert {
  private enum Value {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
  }

  private static let rowsAtOnce = 40

  private let db: Database
  private let columns: Int
  private let head: String
  private let marks: String
  private var values: [Value] = []
  private var statement: BulkStatement?
  private var single: BulkStatement?

  init(_ db: Database, into table: String, _ columns: [String]) {
    self.db = db
    self.columns = columns.count
    head = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES "
    marks = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
    values.reserveCapacity(columns.count * Self.rowsAtOnce)
  }

  /// Whether the next row makes a statement run.
  var isAboutToRun: Bool { values.count == columns * (Self.rowsAtOnce - 1) }

  func add(_ value: Int64) { values.append(.integer(value)) }
  func add(_ value: Double) { values.append(.real(value)) }
  func add(_ value: String?) { values.append(value.map(Value.text) ?? .null) }

  /// Ends a row.
  func endRow() throws {
    guard values.count == columns * Self.rowsAtOnce else { return }
    let all = Array(repeating: marks, count: Self.rowsAtOnce).joined(separator: ", ")
    let statement = try statement ?? BulkStatement(db, head + all)
    self.statement = statement
    try run(statement, values[...])
    values.removeAll(keepingCapacity: true)
  }

  /// Writes the rows that are left.
  func flush() throws {
    guard !values.isEmpty else { return }
    let single = try single ?? BulkStatement(db, head + marks)
    self.single = single
    for start in stride(from: 0, to: values.count, by: columns) {
      try run(single, values[start..<start + columns])
    }
    values.removeAll(keepingCapacity: true)
  }

  private func run(_ statement: BulkStatement, _ values: ArraySlice<Value>) throws {
    for value in values {
      switch value {
      case .null: statement.bind(nil as Int64?)
      case .integer(let number): statement.bind(number)
      case .real(let number): statement.bind(number)
      case .text(let text): statement.bind(text)
      }
    }
    try statement.run()
  }
}
