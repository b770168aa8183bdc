import ArgumentParser
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocTensor
import RocTool

struct ConvertCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a checkpoint in another number format, or packed for this program.",
    discussion: """
      f32, f16 and bf16 give ordinary safetensors; --packed and int8 give weights laid out
      for the kernels, which are mapped and start without conversion, for roc only. An
      adapter (LoRA) is merged into its base. Other small files of the folder are copied. The
      new folder appears when it is whole.

      Examples:
        roc-model convert ROC4MLLM roc-int8 --dtype int8
        roc-model convert lora-folder merged --dtype bf16
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case f32
    case f16
    case bf16
    case int8
  }

  @Argument(help: "A folder, or a Hub name in the local cache.")
  var input: String

  @Argument(help: "The new folder.")
  var output: String

  @Option(help: "Number format of the weights.")
  var dtype: Format

  @Option(help: "What an adapter is put on; else as its settings say.")
  var base: String?

  @Flag(help: "Pack for the kernels; int8 always is.")
  var packed = false

  @Flag(help: "Print one JSON object.")
  var json = false

  mutating func validate() throws {
    guard !(packed && dtype == .f16) else {
      throw ValidationError("--packed: the kernels compute in f32, bf16 or int8, not in f16.")
    }
  }

  private var target: Conversion.Target {
    switch dtype {
    case .f32: packed ? .packed(.f32) : .plain(.f32)
    case .f16: .plain(.f16)
    case .bf16: packed ? .packed(.bf16) : .plain(.bf16)
    case .int8: .packed(.int8)
    }
  }

  func execute() throws -> ExitStatus {
    let folder = try checkpointFolder(input)
    let compute = try guarded { try Engine.compute() }
    try guarded {
      try Integrity.check(
        try Checkpoint(folder: folder, base: try base.map { try HubCache.resolve($0) }), .always
      ) { Console.note($0) }
    }
    let conversion = try guarded {
      try Conversion(
        source: folder, target: target, compute: compute,
        base: try base.map { try HubCache.resolve($0) })
    }
    for note in conversion.notes { Console.note("Note: \(note)") }
    if case .packed = target {
      for name in conversion.unexpected {
        Console.note("Warning: \(input): tensor \(name) is not used and left out")
      }
    }
    let progress = WritingProgress(output)
    try guarded { try conversion.write(to: output, progress: progress.update) }
    progress.finish()
    Console.note("\(output): \(memorySize(conversion.byteCount)) of weights")
    if json {
      try MadeCheckpoint(output).print(
        [
          .init("input", .string(input)), .init("dtype", .string(dtype.rawValue)),
          .init("packed", .bool(packed || dtype == .int8)),
          .init("weight_bytes", .int(conversion.byteCount)),
          .init("notes", .array(conversion.notes.map(JSON.string))),
          .init("left_out", .array(conversion.unexpected.map(JSON.string))),
        ])
    }
    return .done
  }
}
