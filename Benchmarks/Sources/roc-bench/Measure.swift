import Foundation

/// The median and the best of several rounds.
struct Measure {
  let median: Double
  let best: Double

  /// Runs `work` once to warm up, then `rounds` times.
  init(rounds: Int = 7, _ work: () throws -> Void) rethrows {
    try work()
    var seconds: [Double] = []
    for _ in 0..<rounds {
      let start = ContinuousClock.now
      try work()
      seconds.append((ContinuousClock.now - start) / .seconds(1))
    }
    seconds.sort()
    median = seconds[seconds.count / 2]
    best = seconds[0]
  }

  /// How far the median is from the best: 1.00 on a quiet machine.
  var noise: String { String(format: "%.2f", median / best) }
}

/// What /proc/cpuinfo calls the processor.
func processorName() -> String {
  let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
  return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    ?? "unknown"
}
