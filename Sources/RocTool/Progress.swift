/// How far a long job has got: a bar on a terminal, a plain line every 30 seconds elsewhere.
package struct Progress {
  private let label: String
  private let total: Int
  private let unit: String
  private let first: Int
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastShown: ContinuousClock.Instant
  private var isShown = false

  /// - Parameters:
  ///   - label: What is being done, as in `scoring`.
  ///   - total: Items in all.
  ///   - unit: What an item is, in the plural.
  ///   - first: Items that were done before.
  package init(_ label: String, total: Int, unit: String, from first: Int = 0) {
    self.first = first
    self.label = label
    self.total = total
    self.unit = unit
    start = clock.now
    lastShown = start
  }

  private var interval: Duration { Console.isTerminal ? .milliseconds(200) : .seconds(30) }

  /// Shows `done` of the total, unless it was shown a moment ago; `note` is asked for only then.
  package mutating func update(_ done: Int, note: () -> String = { "" }) {
    guard clock.now - lastShown >= interval else { return }
    lastShown = clock.now
    let seconds = (clock.now - start) / .seconds(1)
    let rate = Double(done - first) / max(seconds, 1e-9)
    let left = rate > 0 ? Int(Double(max(total - done, 0)) / rate) : 0
    let speed = rate >= 10 ? "\(Int(rate))" : "\((rate * 10).rounded() / 10)"
    var line = "\(label): \(done) of \(total) \(unit), \(speed)/s, \(Self.time(left)) left"
    let note = note()
    if !note.isEmpty { line += ", \(note)" }
    if Console.isTerminal {
      let filled = total > 0 ? min(max(20 * done / total, 0), 20) : 20
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
      Console.write("\r\u{1B}[K\(bar) \(line)")
      isShown = true
    } else {
      Console.note(line)
    }
  }

  /// Removes the bar.
  package mutating func finish() {
    if isShown { Console.write("\r\u{1B}[K") }
    isShown = false
  }

  private static func time(_ seconds: Int) -> String {
    let minutes = seconds / 60
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return minutes >= 60
      ? "\(minutes / 60):\(two(minutes % 60)):\(two(seconds % 60))"
      : "\(minutes):\(two(seconds % 60))"
  }
}

extension Console {
  /// Writes text to standard error without a line end.
  fileprivate static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: 2) }
}
