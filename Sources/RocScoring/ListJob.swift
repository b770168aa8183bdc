package import RocModel

/// The scoring of a list of pictures without a database.
package struct ListJob {
  /// What becomes of a picture.
  package enum Event: Sendable {
    /// Why it has no score.
    case failed(String)
    /// A PNG of 16-bit grey, whose values above 255 are scored as white.
    case grey16(String)
    /// This many pictures are done.
    case done(Int)
  }

  /// How it ended.
  package struct Result: Sendable {
    package var done = 0
    package var failures = 0
    /// Whether it was asked to stop before the last picture.
    package var isStopped = false
  }

  private let engine: Engine
  private let mode: ScoringMode
  private let decimals: Int
  private let ahead: Int

  /// - Parameters:
  ///   - engine: Loaded.
  ///   - mode: What is asked.
  ///   - decimals: Digits of the score in the texts.
  ///   - ahead: Pictures that are read ahead.
  package init(_ engine: Engine, _ mode: ScoringMode, decimals: Int, ahead: Int) {
    self.engine = engine
    self.mode = mode
    self.decimals = decimals
    self.ahead = ahead
  }

  /// Scores pictures in their order.
  ///
  /// - Parameters:
  ///   - paths: The pictures' paths.
  ///   - passes: Whether one needs no scoring after all, such as one that was named twice.
  ///   - shouldStop: Asked after each picture.
  ///   - tell: Gets what happens, the outcome of a picture after what is odd about it.
  ///   - keep: Gets each outcome.
  /// - Returns: How many there were.
  /// - Throws: `ModelError`, and what `tell` and `keep` throw.
  package func run(
    _ paths: [String], passes: (String) -> Bool, shouldStop: () -> Bool,
    tell: (Event) throws -> Void, keep: (String, ScoredPicture) throws -> Void
  ) throws -> Result {
    var result = Result()
    try engine.score(
      paths: paths, mode: mode, decimals: decimals, ahead: ahead
    ) { index, outcome in
      let path = paths[index]
      if passes(path) { return true }
      if let failure = outcome.failure {
        result.failures += 1
        try tell(.failed(failure.message))
      } else if PictureFile.isGrey16(path) {
        try tell(.grey16(path))
      }
      try keep(path, outcome)
      result.done += 1
      try tell(.done(result.done))
      result.isStopped = shouldStop()
      return !result.isStopped
    }
    result.isStopped = result.isStopped && result.done < paths.count
    return result
  }
}
