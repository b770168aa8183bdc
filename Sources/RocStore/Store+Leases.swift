import Foundation
import GRDB

/// Several processes share the pictures of one run.
///
/// A picture is scored by whoever holds its lease. A lease ends when its prediction is stored, when
/// its time is over, or when its owner is known to be gone.
extension Store {
  /// How long a lease lasts without a sign of life; one picture takes far less on any machine.
  package static let leaseSeconds = 120.0

  /// The time that leases and predictions are stamped with, in seconds since 1970.
  package static var now: Double { Date().timeIntervalSince1970 }

  /// Who takes pictures of a run, and how many at a time.
  package struct Claimant {
    let run: Int64
    let owner: String
    let count: Int
    let isGone: (String) -> Bool

    /// - Parameters:
    ///   - run: The run.
    ///   - owner: Who takes pictures.
    ///   - count: How many at a time, at most.
    ///   - isGone: Whether another owner is known to have ended.
    package init(run: Int64, owner: String, count: Int, isGone: @escaping (String) -> Bool) {
      self.run = run
      self.owner = owner
      self.count = count
      self.isGone = isGone
    }
  }

  /// Takes pictures that nobody holds and nobody has scored since `start`.
  ///
  /// - Parameters:
  ///   - claimant: Who takes them.
  ///   - left: Samples in the order to take them; those that others have scored are removed.
  ///   - start: When `left` was made, in seconds since 1970.
  /// - Returns: What was taken; what others hold stays in `left`.
  /// - Throws: `StoreError` when the database cannot be written.
  package func claim(
    _ claimant: Claimant, from left: inout [Int64], since start: Double
  ) throws -> [Int64] {
    let candidates = left
    let (run, owner, count) = (claimant.run, claimant.owner, claimant.count)
    let (mine, done) = try write { db -> ([Int64], Set<Int64>) in
      let owners = try String.fetchAll(
        db, sql: "SELECT DISTINCT owner FROM leases WHERE run = ?", arguments: [run])
      for other in owners where other != owner && claimant.isGone(other) {
        try db.execute(
          sql: "DELETE FROM leases WHERE run = ? AND owner = ?", arguments: [run, other])
      }
      try db.execute(
        sql: "DELETE FROM leases WHERE run = ? AND until < ?", arguments: [run, Self.now])
      let held = try Set(
        Int64.fetchAll(db, sql: "SELECT sample FROM leases WHERE run = ?", arguments: [run]))
      let done = try Set(
        Int64.fetchAll(
          db, sql: "SELECT sample FROM predictions WHERE run = ? AND written_at >= ?",
          arguments: [run, start]))
      let free = candidates.lazy.filter { !held.contains($0) && !done.contains($0) }.prefix(count)
      let mine = Array(free)
      let insert = try db.cachedStatement(
        sql: "INSERT INTO leases (run, sample, owner, until) VALUES (?, ?, ?, ?)")
      for sample in mine {
        try insert.execute(arguments: [run, sample, owner, Self.now + Self.leaseSeconds])
      }
      return (mine, done)
    }
    let gone = done.union(mine)
    left.removeAll(where: gone.contains)
    return mine
  }

  /// Stores predictions whose lease is still the owner's, gives those leases back, and renews the
  /// others.
  ///
  /// - Returns: How many were stored; the others were taken over by somebody else.
  package func saveLeased(
    _ predictions: [PredictionRecord], run: Int64, owner: String
  ) throws -> Int {
    try write { db in
      var stored = 0
      for prediction in predictions {
        try db.cachedStatement(
          sql: "DELETE FROM leases WHERE run = ? AND sample = ? AND owner = ?"
        ).execute(arguments: [run, prediction.sample, owner])
        guard db.changesCount == 1 else { continue }
        try prediction.save(db, run: run, replaces: true)
        stored += 1
      }
      try db.cachedStatement(sql: "UPDATE leases SET until = ? WHERE run = ? AND owner = ?")
        .execute(arguments: [Self.now + Self.leaseSeconds, run, owner])
      return stored
    }
  }

  /// Gives back what was not scored.
  package func release(run: Int64, owner: String) throws {
    try write { db in
      try db.execute(
        sql: "DELETE FROM leases WHERE run = ? AND owner = ?", arguments: [run, owner])
    }
  }
}
