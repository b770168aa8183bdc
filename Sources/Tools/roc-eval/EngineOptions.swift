import ArgumentParser
import RocCheckpoint
import RocData
import RocModel
import RocTensor
import RocTool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How the arithmetic is carried out.
enum Precision: String, ExpressibleByArgument, CaseIterable {
  case auto
  case f32
  case bf16
  case int8
}

/// The checkpoint and how it is run.
struct EngineOptions: ParsableArguments {
  @Option(
    help: "A folder, or a Hub name in the local cache.")
  var checkpoint: String

  @Option(help: "auto, f32, bf16 or int8; this version computes in f32.")
  var precision: Precision = .auto

  @Option(help: "Pictures read ahead of the engine; scores do not depend on it.")
  var batchSize = 4

  @Option(help: "Threads; all cores by default.")
  var threads: Int?

  @Option(help: "What to ask about each picture.")
  var question = Engine.defaultQuestion

  mutating func validate() throws {
    guard precision == .auto || precision == .f32 else {
      throw ValidationError(
        "--precision \(precision.rawValue): this version computes in f32; leave it at auto.")
    }
    guard (1...4096).contains(batchSize) else {
      throw ValidationError("--batch-size \(batchSize): expected 1 to 4096.")
    }
    guard threads.map({ (1...256).contains($0) }) ?? true else {
      throw ValidationError("--threads \(threads ?? 0): expected 1 to 256.")
    }
    guard !question.isEmpty else { throw ValidationError("--question is empty.") }
    guard !question.contains(ConversationExport.mark) else {
      throw ValidationError(
        "--question must not hold \(ConversationExport.mark); the picture stands before it.")
    }
  }

  /// The checkpoint's files, all tensors checked; says what they need and what there is.
  ///
  /// - Throws: `CommandError` with the exit code of the reason.
  func loader() throws -> (ModelLoader, Compute) {
    do {
      let compute = try Engine.compute(
        threads: threads, instructionSet: getenv("ROC_KERNELS").map { String(cString: $0) })
      let loader = try ModelLoader(folder: try HubCache.resolve(checkpoint), compute: compute)
      for name in loader.unexpected.prefix(10) {
        Console.note("Warning: \(checkpoint): unexpected tensor \(name) is not used")
      }
      if loader.unexpected.count > 10 {
        Console.note("Warning: … and \(loader.unexpected.count - 10) more unexpected tensors")
      }
      let free = availableMemory().map { ", \(memorySize($0)) free" } ?? ""
      Console.note(
        """
        \(checkpoint): \(memorySize(loader.bytesNeeded)) of weights as f32\(free); \
        \(compute.instructionSet) kernels, \(compute.threads) threads
        """)
      return (loader, compute)
    } catch {
      throw Self.commandError(error)
    }
  }

  /// Loads the weights.
  ///
  /// - Returns: The engine and the files it came from.
  func engine() throws -> (engine: Engine, checkpoint: Checkpoint) {
    let (loader, compute) = try loader()
    do {
      let engine = try Engine(loader, compute: compute)
      try engine.check(question: question)
      return (engine, loader.checkpoint)
    } catch {
      throw Self.commandError(error)
    }
  }

  private static func commandError(_ error: any Error) -> CommandError {
    switch error {
    case let error as CheckpointError: CommandError(.badCheckpoint, error.message)
    case ModelError.checkpoint(let message): CommandError(.badCheckpoint, message)
    case ModelError.request(let message): CommandError(.usage, message)
    default: CommandError(.failed, "\(error)")
    }
  }
}
