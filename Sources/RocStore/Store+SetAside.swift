import GRDB
package import RocNames

/// What imports set aside, one snapshot per call.
extension Store {
  /// Remembers lines of files that were not part of an import's own transaction.
  package func quarantine(_ lines: [SetAsideLine], of dataset: String) throws {
    guard !lines.isEmpty else { return }
    try write { db in
      guard let record = try DatasetRecord.named(dataset, db) else { return }
      let writer = try DatasetWriter.open(record, replace: false, db)
      try writer.setQuarantine(of: Set(names: lines.map(\.file)).map(\.text), lines)
    }
  }

  /// What was set aside, in the order of the files.
  package func quarantine(of dataset: DatasetRecord) throws -> [SetAsideLine] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT file, line, record, reason, content FROM quarantine WHERE dataset = ?
          ORDER BY file, line, record, id
          """, arguments: [dataset.id]
      ).map {
        SetAsideLine(
          file: $0["file"], line: $0["line"], record: $0["record"], reason: $0["reason"],
          content: $0["content"])
      }
    }
  }
}
