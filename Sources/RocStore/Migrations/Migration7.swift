import GRDB

extension Migrations {
  /// What a model makes of a picture at the place where it says a score: training the score tokens
  /// alone needs no more.
  static func keepHiddenStates(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE hidden_states (
          id INTEGER PRIMARY KEY,
          checkpoint_sha256 TEXT NOT NULL,
          input_sha256 TEXT NOT NULL,
          state BLOB NOT NULL,
          UNIQUE (checkpoint_sha256, input_sha256)
        );
        """)
  }
}
