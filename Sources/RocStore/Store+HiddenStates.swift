import Foundation
import GRDB

/// Hidden states of pictures, kept so that a model sees each picture once.
extension Store {
  /// The states that are kept for a checkpoint, by what they were computed from.
  ///
  /// - Parameters:
  ///   - checkpoint: Its SHA-256.
  ///   - inputs: Names of what is asked for.
  /// - Returns: [width] values for each input; inputs without kept states are left out.
  /// - Throws: `StoreError` when the database cannot be read.
  package func hiddenStates(
    checkpoint: String, inputs: [String]
  ) throws -> [String: [Float]] {
    try read { db in
      let statement = try db.cachedStatement(
        sql: """
          SELECT state FROM hidden_states WHERE checkpoint_sha256 = ? AND input_sha256 = ?
          """)
      var states: [String: [Float]] = [:]
      for input in inputs {
        guard let bytes = try Data.fetchOne(statement, arguments: [checkpoint, input]) else {
          continue
        }
        states[input] = bytes.withUnsafeBytes { raw in
          (0..<raw.count / 4).map {
            Float(
              bitPattern: UInt32(
                littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
          }
        }
      }
      return states
    }
  }

  /// Keeps states; one that is there already is replaced.
  ///
  /// - Parameters:
  ///   - states: By what they were computed from.
  ///   - checkpoint: Its SHA-256.
  /// - Throws: `StoreError` when the database cannot be written.
  package func keep(_ states: [String: [Float]], checkpoint: String) throws {
    try write { db in
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO hidden_states (checkpoint_sha256, input_sha256, state) VALUES (?, ?, ?)
          ON CONFLICT DO UPDATE SET state = excluded.state
          """)
      for (input, state) in states.sorted(by: { $0.key < $1.key }) {
        let bytes = state.flatMap { value in
          let bits = value.bitPattern
          return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        try statement.execute(arguments: [checkpoint, input, Data(bytes)])
      }
    }
  }
}
