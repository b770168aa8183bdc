import ArgumentParser
import RocCheckpoint
import RocEngineTool
import RocModel

/// The checkpoint and how it is run.
struct EngineOptions: ParsableArguments {
  @Option(
    help: "A folder, or a Hub name in the local cache.")
  var checkpoint: String

  @OptionGroup var settings: EngineSettings

  /// Loads the weights.
  ///
  /// - Returns: The engine, the files it came from, and what it is asked.
  func engine() throws -> (engine: Engine, checkpoint: Checkpoint, mode: ScoringMode) {
    try settings.engine(checkpoint)
  }
}
