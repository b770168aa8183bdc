import Dispatch
import Synchronization

/// Values that hold until the database is written.
///
/// What is made fast is made anew at once; what is
/// slow is given out as it was while a new one is made, every ten seconds at most, so that pages
/// stay fast beside a writer.
final class UntilWritten<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    let value: Value
    let version: String
    let made: ContinuousClock.Instant
    let cost: Duration
    var isRenewed = false
  }

  private let entries = Mutex<[Key: Entry]>([:])
  private let queue: DispatchQueue

  private static var leastAge: Duration { .seconds(10) }
  private static var slow: Duration { .milliseconds(50) }
  private static var most: Int { 200 }

  /// - Parameter label: Of the thread that renews.
  init(_ label: String) { queue = DispatchQueue(label: label, qos: .utility) }

  /// - Parameters:
  ///   - key: What it is known by.
  ///   - version: Changes when something is written.
  ///   - make: Makes it.
  /// - Returns: The value, at most a little older than the database where it is slow to make.
  /// - Throws: What `make` throws.
  func value(
    _ key: Key, _ version: String, make: @escaping @Sendable () throws -> Value
  ) throws -> Value {
    let known = entries.withLock { entries -> Value? in
      guard let entry = entries[key] else { return nil }
      if entry.version == version { return entry.value }
      guard entry.cost > Self.slow else { return nil }
      if ContinuousClock.now - entry.made > Self.leastAge, !entry.isRenewed {
        entries[key]?.isRenewed = true
        queue.async {
          // What cannot be made any more is asked for, and refused, by the next page.
          if (try? self.make(key, version, make)) == nil {
            self.entries.withLock { $0[key] = nil }
          }
        }
      }
      return entry.value
    }
    return try known ?? self.make(key, version, make)
  }

  private func make(
    _ key: Key, _ version: String, _ make: @Sendable () throws -> Value
  ) throws -> Value {
    let start = ContinuousClock.now
    let value = try make()
    let end = ContinuousClock.now
    entries.withLock { entries in
      entries[key] = Entry(value: value, version: version, made: end, cost: end - start)
      if entries.count > Self.most, let oldest = entries.min(by: { $0.value.made < $1.value.made })
      {
        entries[oldest.key] = nil
      }
    }
    return value
  }
}
