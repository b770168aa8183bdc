import RocServing
import Synchronization

/// Lets a few in at a time, in their order; those who wait take no thread.
final class WaitingRoom: Sendable {
  private struct State {
    var free: Int
    /// Each is told whether it is let in.
    var waiting: [CheckedContinuation<Bool, Never>] = []
  }

  private let state: Mutex<State>
  private static let most = 200

  init(_ places: Int) { state = Mutex(State(free: places)) }

  /// - Throws: `RequestProblem` when too many are waiting.
  func enter() async throws {
    let isIn = await withCheckedContinuation { continuation in
      let answer = state.withLock { state -> Bool? in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        guard state.waiting.count < Self.most else { return false }
        state.waiting.append(continuation)
        return nil
      }
      if let answer { continuation.resume(returning: answer) }
    }
    guard isIn else {
      throw RequestProblem(.unavailable, "too many pages are being made", retryAfter: 2)
    }
  }

  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume(returning: true)
  }
}
