import Synchronization

/// Counts and times of a server as Prometheus reads them.
///
/// Its text format: https://prometheus.io/docs/instrumenting/exposition_formats/
package final class ServerMetrics: Sendable {
  private struct Time {
    var count = 0
    var seconds = 0.0
  }

  private struct State {
    var requests: [Route: Int] = [:]
    var pictures: [String: Int] = [:]
    var stages: [String: Time] = [:]
  }

  private struct Route: Hashable {
    let path: String
    let status: Int
  }

  private let state = Mutex(State())

  package init() {}

  /// A request that was answered.
  ///
  /// - Parameters:
  ///   - path: Of the route, not of the request: what strangers ask for has no end.
  ///   - status: Of the answer.
  package func count(request path: String, status: Int) {
    state.withLock { $0.requests[Route(path: path, status: status), default: 0] += 1 }
  }

  /// Pictures that came to an end: `scored`, `abandoned`, or the code of an error.
  package func count(pictures outcome: String, _ count: Int) {
    state.withLock { $0.pictures[outcome, default: 0] += count }
  }

  /// The time that a stage took.
  package func time(_ stage: String, since start: ContinuousClock.Instant) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    state.withLock {
      $0.stages[stage, default: Time()].count += 1
      $0.stages[stage, default: Time()].seconds += seconds
    }
  }

  /// - Parameter queue: Whose length is told; nil where nothing is scored.
  /// - Returns: All of it, in the text format.
  package func text(queue: ScoringQueue?) -> String {
    let state = state.withLock { $0 }
    var lines: [String] = []
    func family(_ name: String, _ type: String, _ help: String, _ values: [String]) {
      lines.append("# HELP \(name) \(help)")
      lines.append("# TYPE \(name) \(type)")
      lines += values.sorted().map { "\(name)\($0)" }
    }
    family(
      "roc_requests_total", "counter", "Requests by route and status.",
      state.requests.map { "{path=\"\($0.key.path)\",status=\"\($0.key.status)\"} \($0.value)" })
    if let queue {
      family(
        "roc_pictures_total", "counter", "Pictures by what became of them.",
        state.pictures.map { "{outcome=\"\($0.key)\"} \($0.value)" })
      family(
        "roc_queue_pictures", "gauge", "Pictures that are not answered yet.", [" \(queue.held)"])
      family(
        "roc_queue_capacity", "gauge", "Pictures that the queue takes.", [" \(queue.capacity)"])
      family(
        "roc_stage_seconds", "summary", "Seconds of pictures in each stage.",
        state.stages.flatMap {
          [
            "_count{stage=\"\($0.key)\"} \($0.value.count)",
            "_sum{stage=\"\($0.key)\"} \($0.value.seconds)",
          ]
        })
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
