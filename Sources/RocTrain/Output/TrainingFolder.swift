package import RocCheckpoint
import RocFiles
package import RocJSON
import RocModel
import RocNames
package import RocTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The output folder of a training run: `checkpoint-N` folders to continue from, the step log, and
/// in the end the model itself.
///
/// A `checkpoint-N` appears only when it is whole; the next start removes what a kill left of one.
package final class TrainingFolder {
  package let path: String
  private let lock: OpenFile
  /// Folders that were not there before, outermost first.
  private let made: [String]
  private static let lockFile = "training.lock"

  static let stateFile = "trainer_state.json"
  static let optimiserFile = "optimizer.safetensors"
  package static let logFile = "training.jsonl"
  /// Begins the name of a base that got its score tokens here.
  static let baseName = "base-with-score-tokens"

  /// Opens or makes the folder and keeps other training runs out of it.
  ///
  /// - Throws: `TrainingError` when another process trains into it, or nothing can be made there.
  package init(_ path: String) throws(TrainingError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    guard !path.isEmpty else { throw .request("--output-dir is empty") }
    let name = "\(path)/\(Self.lockFile)"
    let made: [String]
    let lock: OpenFile
    do throws(FileError) {
      made = try makeFolders(path)
      lock = try OpenFile(name, .locking)
    } catch {
      throw .output("\(path): \(error.reason)")
    }
    // A training run that ended may have removed the file that was opened here.
    guard lock.lock() != .taken, lock.isStillThere else {
      throw .busy("\(path): another roc-train is training into this folder")
    }
    // Not before: an error thrown above must not remove the lock of another process.
    self.lock = lock
    self.made = made
    Partial.clear(path)
    removeEarlierPartials()
  }

  deinit {
    unlink("\(path)/\(Self.lockFile)")
    // A training run that was refused leaves nothing behind; a folder with files in it stays.
    for folder in made.reversed() { rmdir(folder) }
  }

  /// The updates of the checkpoints that are there, in ascending order.
  package var checkpoints: [Int] {
    folderEntries(path).compactMap { name in
      guard name.hasPrefix("checkpoint-"), fileExists("\(path)/\(name)/\(Self.stateFile)") else {
        return nil
      }
      return Int(name.dropFirst("checkpoint-".count))
    }.sorted()
  }

  /// The folder of a checkpoint.
  package func checkpoint(_ step: Int) -> String { "\(path)/checkpoint-\(step)" }

  /// Writes everything that is needed to go on from here.
  ///
  /// - Parameters:
  ///   - weights: The model's weights.
  ///   - optimiser: Its moments.
  ///   - state: Its settings; `step` is added.
  ///   - limit: How many checkpoints stay; the oldest are removed once this one is there.
  /// - Throws: `CheckpointError` when the disk is full; what was there before stays.
  package func save(
    _ weights: TrainedWeights, optimiser: Optimiser, state: JSON, limit: Int?
  ) throws(CheckpointError) {
    let step = optimiser.step
    let folder = checkpoint(step)
    guard !fileExists("\(folder)/\(Self.stateFile)") else { return }
    // Left over where a kill interrupted its removal.
    remove(folder)
    let writer = try CheckpointWriter(folder: folder)
    var texts = try weights.texts(.f32)
    texts[Self.stateFile] = TrainedWeights.bytes(
      .object([JSON.Member("step", .int(step))] + (state.members ?? [])))
    var contents = CheckpointContents(
      weights: weights.plans(.f32), texts: texts, copies: weights.copies)
    contents.name = weights.fileName
    contents.others = [Self.optimiserFile: optimiser.members.flatMap(Self.plans)]
    try writer.write(contents)
    guard let limit else { return }
    for old in checkpoints.dropLast(max(limit, 1)) { remove(checkpoint(old)) }
  }

  /// Writes the model itself.
  ///
  /// - Parameters:
  ///   - weights: The model's weights.
  ///   - dtype: For trained tensors; nil where none is trained whole.
  /// - Throws: `CheckpointError` when the disk is full; what was there before stays.
  package func finish(_ weights: TrainedWeights, dtype: DType?) throws(CheckpointError) {
    let writer = try CheckpointWriter(into: path)
    var contents = CheckpointContents(
      weights: weights.plans(dtype ?? .f32), texts: try weights.texts(dtype),
      copies: weights.copies)
    contents.name = weights.fileName
    let wrote = try writer.write(contents)
    // Weights of another form would be read in preference to these, or along with them.
    let isSingle = weights.isAdapter || !wrote.contains("model.safetensors.index.json")
    for name in folderEntries(path) {
      let isAdapter = ["adapter_config.json", "adapter_model.safetensors"].contains(name)
      let isShard =
        name == "model.safetensors.index.json"
        || (name.hasPrefix("model-") && name.hasSuffix(".safetensors"))
      let isWhole = name == "model.safetensors"
      let isOther =
        weights.isAdapter ? isWhole || isShard : isAdapter || (isSingle ? isShard : isWhole)
      if isOther { unlink("\(path)/\(name)") }
    }
  }

  /// Puts the moments and the step of a checkpoint into `optimiser`.
  package func restore(
    _ step: Int, into optimiser: Optimiser
  ) throws(CheckpointError) {
    let file = "\(checkpoint(step))/\(Self.optimiserFile)"
    let tensors = Dictionary(
      try SafetensorsFile(path: file).tensors.map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    for member in optimiser.members {
      let count = member.tensor.parameter.count
      for (part, name) in zip(Moments.Part.allCases, Self.names(member)) {
        guard let tensor = tensors[name], tensor.count == count, tensor.dtype == .f32 else {
          throw CheckpointError("\(file): tensor \(name): expected \(count) F32 values")
        }
        member.moments.replace(part, with: tensor.widened)
      }
    }
    optimiser.step = step
  }

  package func state(_ step: Int) throws(CheckpointError) -> JSON {
    try readJSON("\(checkpoint(step))/\(Self.stateFile)")
  }

  /// PyTorch's names for the running means of gradient and square.
  private static func names(_ member: Optimiser.Member) -> [String] {
    ["\(member.tensor.name).exp_avg", "\(member.tensor.name).exp_avg_sq"]
  }

  /// Moments as they lie in memory, panels included: only training reads them again.
  private static func plans(_ member: Optimiser.Member) -> [TensorPlan] {
    let count = member.tensor.parameter.count
    return zip(Moments.Part.allCases, names(member)).map { part, name in
      TensorPlan(name: name, dtype: .f32, shape: [count]) { sink throws(CheckpointError) in
        let values = member.moments.array(part)
        // In blocks: the moments of an embedding table take as much as half a gigabyte.
        for start in stride(from: 0, to: count, by: 1 << 20) {
          let block = Array(values[start..<min(start + (1 << 20), count)])
          try sink.write(narrowed(block, to: .f32))
        }
      }
    }
  }

  /// Removes what killed training runs of versions before 0.4 left: names that end in `.partial-`
  /// and a process's number.
  private func removeEarlierPartials() {
    let own = ["checkpoint-", Self.logFile, "model", "adapter_model"]
    for name in folderEntries(path) {
      guard let mark = name.byteRanges(of: ".partial-").first,
        name[mark.upperBound...].allSatisfy(\.isNumber), name[mark.upperBound...].count < 16,
        own.contains(where: name.hasPrefix) || name.hasPrefix(".partial-")
      else { continue }
      remove("\(path)/\(name)")
    }
  }

  /// Removes a folder of files: only what training writes has that form.
  fileprivate func remove(_ folder: String) {
    // First: without it the folder is no longer a checkpoint.
    unlink("\(folder)/\(Self.stateFile)")
    removeTree(folder)
  }
}

extension TrainingFolder {
  /// Removes what a training run keeps in order to go on; other files stay.
  ///
  /// That is checkpoints, the log, events and curves, and weights, whoever made them: they would
  /// pass for those of the new training run if it failed.
  package func clear() {
    for name in folderEntries(path) where name.hasPrefix("checkpoint-") {
      if Int(name.dropFirst("checkpoint-".count)) != nil { remove("\(path)/\(name)") }
    }
    let own = [Self.logFile, "losses.svg", "heldout.svg", "adapter_config.json"] + weights
    for name in folderEntries(path)
    where own.contains(name) || name.hasPrefix("events.out.tfevents.") {
      unlink("\(path)/\(name)")
    }
  }

  /// Files of weights of a model or an adapter, whoever made them, and lists of such files.
  package var weights: [String] {
    folderEntries(path).filter { name in
      guard !name.hasPrefix(".") else { return false }
      return ["model", "pytorch_model", "adapter_model"].contains { kind in
        name.hasPrefix(kind)
          && [".safetensors", ".bin", ".index.json"].contains { name.hasSuffix($0) }
      }
    }.sorted()
  }

  /// Runs what reads a checkpoint to go on from; its errors say how to go on without it.
  func goingOn<Value>(_ step: Int, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as CheckpointError {
      let before = checkpoints.last { $0 < step }
      throw TrainingError.state(
        """
        \(checkpoint(step)) cannot be read to go on from: \(error.message). Remove it to \
        \(before.map { "go on from \(checkpoint($0))" } ?? "begin anew")
        """)
    }
  }

  /// The settings that a checkpoint was made with.
  func stateToGoOn(_ step: Int) throws -> JSON { try goingOn(step) { try state(step) } }
}
