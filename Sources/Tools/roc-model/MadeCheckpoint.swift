import RocCheckpoint
import RocFiles
import RocJSON
import RocTool

/// A checkpoint folder that a command has just written.
struct MadeCheckpoint {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  /// Prints what was made as one JSON object, with the SHA-256 of the checkpoint and of its files.
  func print(_ members: [JSON.Member]) throws {
    let checkpoint = try guarded { try Checkpoint(folder: folder) }
    let digests = try guarded { try checkpoint.digests() }
    let files = digests.map { JSON.Member($0.name, .string($0.sha256)) }
    let own: [JSON.Member] = [
      .init("schema", "roc/checkpoint/1"), .init("output", .string(folder)),
      .init("sha256", .string(Checkpoint.sha256(of: digests))), .init("files", .object(files)),
    ]
    try Console.printData(JSON.object(own + members).pretty)
  }
}

/// Shows megabytes while a checkpoint is written, and stops when the command is interrupted.
final class WritingProgress {
  private var progress: Progress?

  /// - Parameter folder: The new checkpoint; what killed runs left of it is removed.
  init(_ folder: String) {
    Interrupt.listen()
    OutputFile.note(Partial.clear(besides: folder))
  }

  /// - Returns: False once a signal has come.
  func update(_ done: Int, _ total: Int) -> Bool {
    var progress = progress ?? Progress("writing", total: total / 1_000_000, unit: "MB")
    progress.update(done / 1_000_000)
    self.progress = progress
    return Interrupt.status == nil
  }

  func finish() { progress?.finish() }
}
