import ArgumentParser
import RocJSON

/// The score tokens of a new checkpoint.
struct ScoreTokenOptions: ParsableArguments {
  @Option(help: "Score tokens.")
  var numTokens = 10

  @Option(parsing: .unconditional, help: "The score of the first one.")
  var minScore = 1.0

  @Option(parsing: .unconditional, help: "The score of the last one.")
  var maxScore = 10.0

  mutating func validate() throws {
    guard (2...10_000).contains(numTokens) else {
      throw ValidationError("--num-tokens \(numTokens): expected 2 to 10000.")
    }
    guard minScore < maxScore, Float(minScore).isFinite, Float(maxScore).isFinite else {
      throw ValidationError("--min-score \(minScore) is not below --max-score \(maxScore).")
    }
  }
}

extension ScoreTokenOptions {
  /// What was asked for.
  var json: [JSON.Member] {
    [
      .init("num_tokens", .int(numTokens)), .init("min_score", .double(minScore)),
      .init("max_score", .double(maxScore)),
    ]
  }
}
