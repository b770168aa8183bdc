package import ArgumentParser
package import RocStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the database is.
package struct DatabaseOptions: ParsableArguments {
  @Option(help: "The database; else $ROC_DB, else roc.sqlite in the current folder.")
  package var db: String?

  package init() {}

  package var path: String {
    db ?? getenv("ROC_DB").map { String(cString: $0) } ?? "roc.sqlite"
  }

  /// Opens the database.
  ///
  /// - Parameters:
  ///   - creates: Whether one is made where there is none.
  ///   - readOnly: Whether nothing will be written.
  /// - Returns: The open database.
  /// - Throws: `StoreError` that says what is wrong with the file.
  package func open(creates: Bool = false, readOnly: Bool = false) throws -> Store {
    try Store(path: path, creates: creates, readOnly: readOnly)
  }
}
