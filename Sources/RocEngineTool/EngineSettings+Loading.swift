package import RocCheckpoint
import RocFiles
package import RocModel
package import RocTensor
import RocTool

/// From options to a loaded model.
extension EngineSettings {
  /// The checkpoint's files, all tensors checked; says what they need and what there is.
  ///
  /// - Parameter checkpoint: A folder, or a Hub name in the local cache.
  /// - Returns: What loads the weights, and where they will be computed with.
  /// - Throws: `CommandError` with the exit code of the reason.
  package func loader(_ checkpoint: String) throws -> (ModelLoader, Compute) {
    do {
      let compute = try Engine.compute(
        threads: threads, instructionSet: requestedInstructionSet())
      var loader = try ModelLoader(
        folder: try HubCache.resolve(checkpoint), compute: compute, precision: precision.precision,
        base: try base.map { try HubCache.resolve($0) })
      loader.mostPixels = maxPixels
      try Integrity.check(loader.checkpoint, .once) { Console.note($0) }
      // A limit that this model does not have is a mistake of the command line, not of a picture.
      _ = try loader.preprocessing()
      for note in loader.checkpoint.notes { Console.note("Note: \(note)") }
      for name in loader.unexpected.prefix(10) {
        Console.note("Warning: \(checkpoint): unexpected tensor \(name) is not used")
      }
      if loader.unexpected.count > 10 {
        Console.note("Warning: … and \(loader.unexpected.count - 10) more unexpected tensors")
      }
      let free = availableMemory().map { ", \(memorySize($0)) free" } ?? ""
      Console.note(
        """
        \(checkpoint): \(memorySize(loader.bytesNeeded)) of weights as \
        \(loader.precision.rawValue)\(free); \(compute.instructionSet) kernels, \
        \(compute.threads) threads
        """)
      if loader.precision == .int8 {
        Console.note(
          """
          int8: \(loader.kept.count) matrices stay in bf16 (lm_head, the \
          \(loader.names.connector), the patch embedding); norms, attention and embeddings in f32\
          \(compute.attendsInBF16 ? ", but attention of the vision encoder in bf16" : "")
          """)
      }
      return (loader, compute)
    } catch {
      throw Self.commandError(error)
    }
  }

  /// Loads the weights.
  ///
  /// - Parameter checkpoint: A folder, or a Hub name in the local cache.
  /// - Returns: The engine, the files it came from, and what it is asked.
  /// - Throws: `CommandError` with the exit code of the reason.
  package func engine(
    _ checkpoint: String
  ) throws -> (engine: Engine, checkpoint: Checkpoint, mode: ScoringMode) {
    let (loader, compute) = try loader(checkpoint)
    do {
      let engine = try Engine(loader, compute: compute)
      let mode = mode(hasScoreTokens: engine.parts.readout != nil)
      if case .levels = mode, scoring == nil, engine.parts.readout == nil {
        Console.note("\(checkpoint) has no score tokens; scoring by Q-Align's levels")
      }
      try engine.check(mode)
      return (engine, loader.checkpoint, mode)
    } catch {
      throw Self.commandError(error)
    }
  }

  static func commandError(_ error: any Error) -> CommandError {
    switch error {
    case let error as CheckpointError:
      CommandError(error.kind == .machine ? .failed : .badCheckpoint, error.message)
    case ModelError.checkpoint(let message): CommandError(.badCheckpoint, message)
    case ModelError.request(let message): CommandError(.usage, message)
    case let error as ModelError: CommandError(.failed, error.description)
    default: CommandError(.failed, "\(error)")
    }
  }
}
