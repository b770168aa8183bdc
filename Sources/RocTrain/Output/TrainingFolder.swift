package import RocCheckpoint
package import RocJSON
import RocModel
package import RocTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The output folder of a training: `checkpoint-N` folders to continue from, the step log, and in
/// the end the model itself.
///
/// A `checkpoint-N` appears when it is whole; a kill leaves at most a `.partial-` folder, which the
/// next start removes.
package final class TrainingFolder {
  package let path: String
  private let lock: Int32

  static let stateFile = "trainer_state.json"
  static let optimiserFile = "optimizer.safetensors"
  package static let logFile = "training.jsonl"

  /// Opens or makes the folder and keeps other trainings out of it.
  ///
  /// - Throws: `TrainingError` when another process trains into it, or nothing can be made there.
  package init(_ path: String) throws(TrainingError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    if mkdir(path, 0o755) != 0, errno != EEXIST {
      throw .request("\(path): \(String(cString: strerror(errno)))")
    }
    lock = open("\(path)/training.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw .request("\(path): \(String(cString: strerror(errno)))") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw .request("\(path): another roc-train is training into this folder")
    }
    for name in folderEntries(path) where name.contains(".partial-") {
      remove("\(path)/\(name)")
    }
  }

  deinit { close(lock) }

  /// The updates of the checkpoints that are there, rising.
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
  ///   - weights: Of the model.
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
    let writer = try CheckpointWriter(folder: folder)
    var texts = try weights.texts(.f32)
    texts[Self.stateFile] = TrainedWeights.bytes(
      .object([JSON.Member("step", .int(step))] + (state.members ?? [])))
    let moments = optimiser.members.flatMap(Self.plans)
    try writer.write(
      weights.plans(.f32), texts: texts, copies: weights.copies.filter { texts[$0.key] == nil },
      name: weights.fileName, others: [Self.optimiserFile: moments])
    guard let limit else { return }
    for old in checkpoints.dropLast(max(limit, 1)) { remove(checkpoint(old)) }
  }

  /// Writes the model itself.
  ///
  /// - Parameters:
  ///   - weights: Of the model.
  ///   - dtype: Of trained tensors; nil where none is trained whole.
  /// - Throws: `CheckpointError` when the disk is full; what was there before stays.
  package func finish(_ weights: TrainedWeights, dtype: DType?) throws(CheckpointError) {
    let writer = try CheckpointWriter(into: path)
    let texts = try weights.texts(dtype)
    try writer.write(
      weights.plans(dtype ?? .f32), texts: texts,
      copies: weights.copies.filter { texts[$0.key] == nil },
      name: weights.fileName)
  }

  /// The state of a checkpoint, and its moments put into `optimiser`.
  package func restore(
    _ step: Int, into optimiser: Optimiser
  ) throws(CheckpointError) {
    let file = "\(checkpoint(step))/\(Self.optimiserFile)"
    let tensors = Dictionary(
      try SafetensorsFile(path: file).tensors.map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    for member in optimiser.members {
      let count = member.tensor.parameter.count
      for (place, name) in Self.names(member).enumerated() {
        guard let tensor = tensors[name], tensor.count == count, tensor.dtype == .f32 else {
          throw CheckpointError("\(file): tensor \(name): expected \(count) F32 values")
        }
        let values = tensor.widened
        values.withUnsafeBufferPointer { source in
          guard let start = source.baseAddress else { return }
          (member.moments.values + place * count).update(from: start, count: count)
        }
      }
    }
    optimiser.step = step
  }

  package func state(_ step: Int) throws(CheckpointError) -> JSON {
    try readJSON("\(checkpoint(step))/\(Self.stateFile)")
  }

  /// PyTorch's names of the running means of gradient and square.
  private static func names(_ member: Optimiser.Member) -> [String] {
    ["\(member.tensor.name).exp_avg", "\(member.tensor.name).exp_avg_sq"]
  }

  /// Moments as they lie in memory, panels included: only a training reads them again.
  private static func plans(_ member: Optimiser.Member) -> [TensorPlan] {
    let count = member.tensor.parameter.count
    return names(member).enumerated().map { place, name in
      TensorPlan(name: name, dtype: .f32, shape: [count]) { sink throws(CheckpointError) in
        let start = member.moments.values + place * count
        try sink.write(UnsafeRawBufferPointer(start: start, count: 4 * count))
      }
    }
  }

  /// Removes a folder of files: only what a training writes has that form.
  fileprivate func remove(_ folder: String) {
    for name in folderEntries(folder) { unlink("\(folder)/\(name)") }
    rmdir(folder)
    unlink(folder)
  }
}

extension TrainingFolder {
  /// Removes what a training keeps to go on; other files stay.
  ///
  /// That is checkpoints, the log, events, and a base that got its score tokens here.
  package func clear() {
    for step in checkpoints { remove(checkpoint(step)) }
    for name in folderEntries(path)
    where name == Self.logFile || name.hasPrefix("events.out.tfevents.") {
      unlink("\(path)/\(name)")
    }
    remove("\(path)/base-with-score-tokens")
  }
}
