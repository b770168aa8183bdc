import Dispatch
import Synchronization

/// Values that may take long to make: made once, one after another, away from the pages that wait
/// for them, and kept as far as they fit.
final class InBackground<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private enum Entry {
    case making(DispatchGroup)
    case made(Value)
    /// Told once, then tried again.
    case failed(any Error)
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

  /// - Parameters:
  ///   - label: Of the thread.
  ///   - room: The sum of weights that is kept; the value used last stays in any case.
  ///   - weight: Of a value.
  init(_ label: String, room: Int, weight: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
    queue = DispatchQueue(label: label, qos: .utility)
    self.room = room
    self.weight = weight
  }

  /// What is there already.
  func known(_ key: Key) -> Value? {
    state.withLock { state -> Value? in
      guard case .made(let value) = state.entries[key] else { return nil }
      state.use(key)
      return value
    }
  }

  /// A value; it is begun where it is not there.
  ///
  /// - Parameters:
  ///   - key: What it is known by.
  ///   - seconds: How long to wait for it; nil waits until it is there.
  ///   - make: Makes it.
  /// - Returns: Nil when it takes longer.
  /// - Throws: What `make` threw.
  func value(
    _ key: Key, waiting seconds: Double?, make: @escaping @Sendable () throws -> Value
  ) throws -> Value? {
    let end = seconds.map { DispatchTime.now() + $0 } ?? .distantFuture
    while true {
      let group = state.withLock { state -> DispatchGroup? in
        switch state.entries[key] {
        case .making(let group): return group
        case .made, .failed: return nil
        case nil: return begin(key, make, &state)
        }
      }
      if let group, group.wait(timeout: end) == .timedOut { return nil }
      if let found = try take(key) { return found }
      // Others had it dropped meanwhile.
    }
  }

  private func take(_ key: Key) throws -> Value? {
    let entry = state.withLock { state -> Entry? in
      let entry = state.entries[key]
      if case .made = entry { state.use(key) }
      if case .failed = entry { state.entries[key] = nil }
      return entry
    }
    switch entry {
    case .made(let value): return value
    case .failed(let error): throw error
    case .making, nil: return nil
    }
  }

  private func begin(
    _ key: Key, _ make: @escaping @Sendable () throws -> Value, _ state: inout State
  ) -> DispatchGroup {
    let group = DispatchGroup()
    group.enter()
    state.entries[key] = .making(group)
    queue.async {
      let entry: Entry
      do { entry = .made(try make()) } catch { entry = .failed(error) }
      self.state.withLock { state in
        state.entries[key] = entry
        if case .made = entry { state.use(key) }
        self.makeRoom(&state)
      }
      group.leave()
    }
    return group
  }

  private func makeRoom(_ state: inout State) {
    func size(_ key: Key) -> Int {
      if case .made(let value) = state.entries[key] { return weight(value) }
      return 0
    }
    var sum = state.order.reduce(0) { $0 + size($1) }
    while sum > room, state.order.count > 1 {
      let oldest = state.order.removeFirst()
      sum -= size(oldest)
      state.entries[oldest] = nil
    }
  }
}
