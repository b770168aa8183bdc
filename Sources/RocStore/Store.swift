package import GRDB
package import RocNames

/// Why the database cannot be used; `isBusy` and `isMissing` decide the exit code.
package struct StoreError: ReportedError, CustomStringConvertible {
  package let message: String
  package let isBusy: Bool
  package let isMissing: Bool

  package init(_ message: String, isBusy: Bool = false, isMissing: Bool = false) {
    self.message = message
    self.isBusy = isBusy
    self.isMissing = isMissing
  }

  package var outcome: Outcome { isBusy ? .busy : isMissing ? .missing : .failed }
  package var description: String { message }
}

/// The SQLite database of datasets, runs and predictions.
package struct Store: Sendable {
  package let path: String
  private let database: any DatabaseWriter

  /// Opens a database and brings its schema up to date.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - creates: Whether a file that does not exist is made.
  ///   - readOnly: Leaves the file as it is and waits for no writer; a database of an older version
  ///     is brought up to date all the same.
  ///   - readers: Threads that read at the same time; for `readOnly` only.
  /// - Throws: `StoreError` that says what is wrong with the file.
  package init(
    path: String, creates: Bool, readOnly: Bool = false, readers: Int = 1
  ) throws(StoreError) {
    self.path = path
    guard !StoreFile.isFolder(path) else {
      throw StoreError("\(path): is a folder, expected a database file; name one with --db")
    }
    guard creates || StoreFile.exists(path) else {
      throw StoreError(
        """
        \(path): there is no such database; import a dataset first with roc-data import, or name \
        another file with --db or ROC_DB
        """, isMissing: true)
    }
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.foreignKeysEnabled = true
    // The keys of an import come in no order: with SQLite's own 2 MB cache, pages are read anew.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -65536") }
    do {
      let migrator = Migrations.all
      guard StoreFile.exists(path) else {
        // The first process writes each page once; the next one keeps a log, so that readers need
        // not wait for writers.
        database = try DatabaseQueue(path: path, configuration: configuration)
        try migrator.migrate(database)
        return
      }
      if readOnly, let unwritable = try Self.immutable(path, configuration, migrator) {
        database = unwritable
        return
      }
      var reading = configuration
      // What a killed first process left half done must be undone before anything is read.
      reading.readonly = !StoreFile.exists("\(path)-journal")
      let queue = try DatabaseQueue(path: path, configuration: reading)
      let isKnown = try queue.read { try $0.tableExists("grdb_migrations") }
      let isEmpty = try queue.read { try Self.isEmpty($0) }
      guard isKnown || (isEmpty && creates) else {
        throw StoreError(
          """
          \(path): \(isEmpty ? "an empty file" : "another program's database"), not one of roc's; \
          name another file with --db
          """, isMissing: true)
      }
      if isKnown {
        if try queue.read(migrator.hasBeenSuperseded) {
          throw StoreError("\(path): written by a newer version of roc; update this one")
        }
        if try readOnly && queue.read(migrator.hasCompletedMigrations) {
          database = readers > 1 ? try Self.readers(readers, path, configuration) : queue
          return
        }
      }
      try queue.close()
      let pool = try Self.pool(path, configuration)
      if try !pool.read(migrator.hasCompletedMigrations) { try migrator.migrate(pool) }
      database = pool
    } catch let error as StoreError {
      throw error
    } catch {
      throw Self.explain(error, path: path)
    }
  }

  /// A database with a log beside it, so that readers need not wait for writers.
  ///
  /// Where two processes begin the log of a database at the same time, SQLite tells one of them at
  /// once that it is busy, instead of waiting as it does everywhere else.
  private static func pool(_ path: String, _ configuration: Configuration) throws -> DatabasePool {
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      do {
        return try DatabasePool(path: path, configuration: configuration)
      } catch let error as DatabaseError
        where error.resultCode == .SQLITE_BUSY && clock.now - start < .seconds(10)
      {
        StoreFile.pause(milliseconds: 20)
      }
    }
  }

  /// Connections that only read.
  ///
  /// Long reads and writers would wait for each other in a database without a log, so it is given
  /// one, unless somebody is writing it the first time.
  private static func readers(
    _ count: Int, _ path: String, _ configuration: Configuration
  ) throws -> DatabasePool {
    var configuration = configuration
    configuration.busyMode = .timeout(0.2)
    if let pool = try? DatabasePool(path: path, configuration: configuration) { try pool.close() }
    configuration.busyMode = .timeout(10)
    configuration.readonly = true
    configuration.maximumReaderCount = count
    return try DatabasePool(path: path, configuration: configuration)
  }

  /// A database whose file or folder cannot be written, and that nobody is writing to: SQLite then
  /// needs to be told that no log will appear beside it.
  private static func immutable(
    _ path: String, _ configuration: Configuration, _ migrator: DatabaseMigrator
  ) throws -> DatabaseQueue? {
    guard !StoreFile.isWritable(path), !StoreFile.hasContent("\(path)-wal") else { return nil }
    var reading = configuration
    reading.readonly = true
    let queue = try DatabaseQueue(
      path: "file:\(StoreFile.escaped(path))?immutable=1", configuration: reading)
    guard try queue.read({ try $0.tableExists("grdb_migrations") }) else { return nil }
    guard try queue.read(migrator.hasCompletedMigrations) else {
      throw StoreError(
        "\(path): was written by an older version and cannot be brought up to date; copy it first")
    }
    return queue
  }

  private static func isEmpty(_ db: Database) throws -> Bool {
    try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
  }

  /// Gives the space of removed rows back to the disk where that is a good part of the file, unless
  /// somebody else is using the database.
  func shrink() {
    let pages = try? database.read { db in
      (
        free: try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0,
        all: try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      )
    }
    guard let pages, pages.free * 4 > pages.all else { return }
    try? database.vacuum()
  }

  /// Runs queries on a consistent snapshot.
  package func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do {
      return try database.read(body)
    } catch let error as DatabaseError {
      throw Self.explain(error, path: path)
    }
  }

  /// Runs changes in one transaction: all of them are kept, or none.
  package func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do {
      return try database.write(body)
    } catch let error as DatabaseError {
      throw Self.explain(error, path: path)
    }
  }

  private static func explain(_ error: any Error, path: String) -> StoreError {
    guard let error = error as? DatabaseError else { return StoreError("\(path): \(error)") }
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return StoreError(
        "\(path): another program is writing to this database; try again", isBusy: true)
    case .SQLITE_FULL:
      return StoreError("\(path): the disk is full; nothing of this step was kept")
    case .SQLITE_READONLY:
      return StoreError("\(path): the database cannot be written; check its permissions")
    case .SQLITE_CANTOPEN:
      return StoreError(
        "\(path): cannot be opened; check that its folder exists and may be written")
    case .SQLITE_CONSTRAINT:
      return StoreError(
        """
        \(path): the dataset was replaced or removed while it was in use; start again \
        (\(error.message ?? "constraint"))
        """)
    case .SQLITE_NOTADB:
      return StoreError("\(path): not a SQLite database; name another file with --db")
    case .SQLITE_CORRUPT:
      return StoreError("\(path): the database is damaged: \(error.message ?? "no details")")
    case .SQLITE_IOERR:
      return StoreError(
        "\(path): reading or writing failed (\(error.message ?? "disk I/O error")); is the disk full?"
      )
    default: return StoreError("\(path): \(error)")
    }
  }
}
