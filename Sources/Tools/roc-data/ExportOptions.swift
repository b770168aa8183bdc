import ArgumentParser
import RocData
import RocScore

/// A scale written `LOW:HIGH`.
struct ScaleOption: ExpressibleByArgument {
  let range: ScoreRange

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low < high,
      (high - low).isFinite
    else { return nil }
    range = ScoreRange(low: low, high: high)
  }
}

extension CommentRule: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}
extension LevelTask: ExpressibleByArgument {}
extension SoftLabel.Density: ExpressibleByArgument {}
