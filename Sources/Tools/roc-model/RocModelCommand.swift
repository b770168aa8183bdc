import ArgumentParser
import RocCheckpoint
import RocFiles
import RocModel
import RocTensor
import RocTool

@main
struct RocModelCommand: ParsableCommand {
  static func main() { Program.main(Self.self) }

  static let configuration = CommandConfiguration(
    commandName: "roc-model",
    abstract: "Inspect, make, convert, verify and measure checkpoints.",
    version: "roc \(Engine.version)",
    subcommands: [
      InspectCommand.self, InitCommand.self, AddScoreTokensCommand.self, ConvertCommand.self,
      BenchCommand.self, VerifyCommand.self,
      DoctorCommand.self,
    ])
}

/// Threads and kernels of a command.
struct ComputeOptions: ParsableArguments {
  @Option(help: "Threads; all cores by default.")
  var threads: Int?

  mutating func validate() throws {
    guard threads.map({ (1...256).contains($0) }) ?? true else {
      throw ValidationError("--threads \(threads ?? 0): expected 1 to 256.")
    }
  }

  func compute() throws -> Compute {
    try guarded {
      try Engine.compute(
        threads: threads, instructionSet: requestedInstructionSet())
    }
  }
}

/// The path of a checkpoint, or of a Hub name in the local cache.
func checkpointFolder(_ name: String) throws -> String {
  try guarded { try HubCache.resolve(name) }
}

/// Runs `body`; errors of checkpoints and models get their exit codes.
func guarded<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as CheckpointError {
    throw commandError(error)
  } catch ModelError.output(let error) {
    throw commandError(error)
  } catch ModelError.checkpoint(let message) {
    throw CommandError(.badCheckpoint, message)
  } catch ModelError.request(let message) {
    throw CommandError(.usage, message)
  } catch let error as ModelError {
    throw CommandError(.failed, error.description)
  }
}

private func commandError(_ error: CheckpointError) -> CommandError {
  switch error.kind {
  case .unusable: CommandError(.badCheckpoint, error.message)
  case .exists: CommandError(.usage, error.message)
  case .output, .machine: CommandError(.failed, error.message)
  case .interrupted:
    CommandError(Interrupt.status ?? .interrupted, "interrupted; nothing was left behind")
  }
}
