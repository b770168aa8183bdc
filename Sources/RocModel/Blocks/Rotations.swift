import RocTensor

/// A rotary table behind a reference, with its way back.
final class Rotations: Sendable {
  let table: RotaryTable
  /// Rotations back, for derivatives; empty unless something is trained.
  let reversed: RotaryTable

  /// - Parameters:
  ///   - table: Angles of positions, or of the rows of a sequence.
  ///   - trains: Whether derivatives are taken.
  ///   - compute: Where the tables are kept.
  init(_ table: consuming RotaryTable, trains: Bool, _ compute: Compute) {
    reversed =
      trains ? table.reversed : RotaryTable(positions: 0, width: 2, theta: 1, compute)
    self.table = table
  }
}
