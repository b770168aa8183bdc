import GRDB

extension Migrations {
  /// Which network scored a run; nothing is known of earlier ones, all of which are mPLUG-Owl2's.
  static func keepBackbones(_ db: Database) throws {
    try db.execute(sql: "ALTER TABLE runs ADD COLUMN backbone TEXT")
  }
}
