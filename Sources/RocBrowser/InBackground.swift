import Dispatch
import Synchronization

/// Values that may take long to make: made away from the pages that wait for them, one after
/// another, and kept as far as they fit.
///
/// A value that has become old is given out while a new one is made, which begins every ten seconds
/// at most where making takes long, so that pages stay fast beside a writer.
final class InBackground<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Made {
    let value: Value
    let version: Int
    let at: ContinuousClock.Instant
    let cost: Duration
  }

  private struct Entry {
    var made: Made?
    /// Whoever waits for the value that is being made.
    var making: DispatchGroup?
    /// Told once, then tried again.
    var failure: (any Error)?
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    /// What was made, the least lately used first.
    var order: [Key] = []

    mutating func use(_ key: Key) {
      order.removeAll { $0 == key }
      order.append(key)
    }
  }

  private let state = Mutex(State())
  private let queue: DispatchQueue
  private let room: Int
  private let weight: @Sendable (Value) -> Int

  private static var leastAge: Duration { .seconds(10) }
  private static var slow: Duration { .milliseconds(50) }

  /// - Parameters:
  ///   - label: Of the thread.
  ///   - room: The sum of weights that is kept; the value used last stays in any case.
  ///   - weight: Of a value.
  init(_ label: String, room: Int, weight: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
    queue = DispatchQueue(label: label, qos: .utility)
    self.room = room
    self.weight = weight
  }

  /// What is there already, if it is of that version.
  func known(_ key: Key, version: Int) -> Value? {
    state.withLock { state -> Value? in
      guard let made = state.entries[key]?.made, made.version == version else { return nil }
      state.use(key)
      return made.value
    }
  }

  /// A value; it is begun where it is not there, or old.
  ///
  /// - Parameters:
  ///   - key: What it is known by.
  ///   - version: Changes with what it is made of.
  ///   - seconds: How long to wait for it; nil waits for one of this version or a later one.
  ///   - make: Makes it.
  /// - Returns: The value, perhaps an older one; nil when the first one takes longer.
  /// - Throws: What `make` threw.
  func value(
    _ key: Key, version: Int, waiting seconds: Double?,
    make: @escaping @Sendable () throws -> Value
  ) throws -> Value? {
    let end = seconds.map { DispatchTime.now() + $0 } ?? .distantFuture
    while true {
      let (made, group) = state.withLock { state -> (Value?, DispatchGroup?) in
        var entry = state.entries[key] ?? Entry()
        if let made = entry.made, made.version == version {
          state.use(key)
          return (made.value, nil)
        }
        let isSettled =
          entry.made.map {
            seconds != nil && $0.cost > Self.slow && ContinuousClock.now - $0.at < Self.leastAge
          } ?? false
        if entry.making == nil, entry.failure == nil, !isSettled {
          entry.making = begin(key, version, make)
          state.entries[key] = entry
        }
        return (nil, entry.making)
      }
      if let made { return made }
      if let group, group.wait(timeout: end) == .timedOut { return old(key) }
      if let failure = takeFailure(key) { throw failure }
      // What was found while this waited may be of an earlier version, and is good enough for a page.
      if seconds != nil, let found = old(key) { return found }
    }
  }

  private func old(_ key: Key) -> Value? {
    state.withLock { state -> Value? in
      guard let made = state.entries[key]?.made else { return nil }
      state.use(key)
      return made.value
    }
  }

  private func takeFailure(_ key: Key) -> (any Error)? {
    state.withLock { state -> (any Error)? in
      guard let failure = state.entries[key]?.failure else { return nil }
      state.entries[key] = nil
      state.order.removeAll { $0 == key }
      return failure
    }
  }

  private func begin(
    _ key: Key, _ version: Int, _ make: @escaping @Sendable () throws -> Value
  ) -> DispatchGroup {
    let group = DispatchGroup()
    group.enter()
    queue.async {
      let start = ContinuousClock.now
      let result = Result { try make() }
      let end = ContinuousClock.now
      self.state.withLock { state in
        var entry = state.entries[key] ?? Entry()
        entry.making = nil
        switch result {
        case .success(let value):
          entry.made = Made(value: value, version: version, at: end, cost: end - start)
        case .failure(let error): entry.failure = error
        }
        state.entries[key] = entry
        if entry.made != nil { state.use(key) }
        self.makeRoom(&state)
      }
      group.leave()
    }
    return group
  }

  private func makeRoom(_ state: inout State) {
    func size(_ key: Key) -> Int { state.entries[key]?.made.map { weight($0.value) } ?? 0 }
    var sum = state.order.reduce(0) { $0 + size($1) }
    while sum > room, state.order.count > 1 {
      let oldest = state.order.removeFirst()
      sum -= size(oldest)
      state.entries[oldest]?.made = nil
      if state.entries[oldest]?.making == nil { state.entries[oldest] = nil }
    }
  }
}
