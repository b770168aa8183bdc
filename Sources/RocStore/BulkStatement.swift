import GRDB
import GRDBSQLite

/// A prepared statement without bookkeeping, for hundreds of thousands of rows in one transaction.
///
/// Columns are bound in order; `run` executes and begins again at the first. It lives no longer
/// than the transaction in which it was made.
final class BulkStatement {
  private let connection: OpaquePointer
  private var statement: OpaquePointer?
  private var column: Int32 = 0

  /// Tells SQLite to copy what is bound.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  init(_ db: Database, _ sql: String) throws {
    guard let connection = db.sqliteConnection else {
      throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the database is closed")
    }
    self.connection = connection
    try check(sqlite3_prepare_v2(connection, sql, -1, &statement, nil))
  }

  deinit { sqlite3_finalize(statement) }

  func bind(_ value: Int64?) {
    column += 1
    if let value {
      sqlite3_bind_int64(statement, column, value)
    } else {
      sqlite3_bind_null(statement, column)
    }
  }

  func bind(_ value: Int) { bind(Int64(value)) }

  func bind(_ value: Double) {
    column += 1
    sqlite3_bind_double(statement, column, value)
  }

  func bind(_ value: String?) {
    guard var value else { return bind(nil as Int64?) }
    column += 1
    value.withUTF8 { bytes in
      _ = bytes.withMemoryRebound(to: CChar.self) {
        // An empty string may have no address, which SQLite would take for NULL.
        sqlite3_bind_text(
          statement, column, $0.baseAddress ?? UnsafePointer(bitPattern: 1), Int32($0.count),
          Self.transient)
      }
    }
  }

  /// Executes with what was bound and gets ready for the next row.
  func run() throws {
    let code = sqlite3_step(statement)
    column = 0
    sqlite3_reset(statement)
    guard code == SQLITE_DONE else { return try check(code) }
  }

  private func check(_ code: Int32) throws {
    guard code != SQLITE_OK else { return }
    throw DatabaseError(
      resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
  }
}
