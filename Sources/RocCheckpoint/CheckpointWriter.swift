import RocFiles
import RocJSON

/// What a checkpoint folder holds.
package struct CheckpointContents {
  /// The most bytes of a shard, as in Hugging Face's tools.
  package static let usualShardSize = 5_000_000_000

  package var weights: [TensorPlan]
  /// Of the weights' files.
  package var metadata: [String: String] = [:]
  /// The most bytes of a file before another one begins.
  package var shardSize = CheckpointContents.usualShardSize
  /// Of the weights' file, when there is one shard.
  package var name = "model.safetensors"
  /// Further files by name.
  package var texts: [String: [UInt8]]
  /// Files to copy by name; texts of these names take their place.
  package var copies: [String: String]
  /// Further safetensors files by name.
  package var others: [String: [TensorPlan]] = [:]

  package init(
    weights: [TensorPlan], texts: [String: [UInt8]], copies: [String: String] = [:]
  ) {
    self.weights = weights
    self.texts = texts
    self.copies = copies.filter { texts[$0.key] == nil }
  }

  /// Of all tensors.
  var byteCount: Int {
    (weights + others.values.flatMap { $0 }).reduce(0) { $0 + $1.byteCount }
  }
}

/// Writes a checkpoint folder beside its final place and moves it there when it is whole: a folder
/// of that name is either absent or complete.
package struct CheckpointWriter {
  package let folder: String
  private let new: NewFolder
  private var partial: String { new.place }
  /// Whether the files go into a folder that is there already.
  private let joins: Bool

  /// - Parameter folder: Must not exist.
  /// - Throws: `CheckpointError` when it does, or when nothing can be made there.
  package init(folder: String) throws(CheckpointError) {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    guard !folder.isEmpty else { throw CheckpointError("the new folder has no name", .exists) }
    guard !fileExists(folder) else {
      throw CheckpointError("\(folder) exists already; choose another name or remove it", .exists)
    }
    self.folder = folder
    joins = false
    Partial.clear(besides: folder)
    new = try output { () throws(FileError) in try NewFolder(folder) }
  }

  /// Writes into a folder that is there: each file replaces one of the same name when all are
  /// written, the weights last, so that whoever sees new weights sees what belongs to them.
  ///
  /// - Parameter folder: May hold other files, which stay.
  /// - Throws: `CheckpointError` when nothing can be made there.
  package init(into folder: String) throws(CheckpointError) {
    self.folder = folder
    joins = true
    Partial.clear(folder)
    new = try output { () throws(FileError) in try NewFolder(into: folder) }
  }

  /// Writes everything and moves the folder to its place; a writer that is released before that
  /// removes what it has written.
  ///
  /// - Parameters:
  ///   - contents: What the folder will hold.
  ///   - progress: Called with the bytes written so far and the total; false stops.
  /// - Returns: The names of the files.
  /// - Throws: `CheckpointError` when the disk is full or a file cannot be read.
  @discardableResult
  package func write(
    _ contents: CheckpointContents, progress: (Int, Int) -> Bool = { _, _ in true }
  ) throws(CheckpointError) -> [String] {
    let total = contents.byteCount
    try checkSpace(total)
    var done = 0
    for (name, bytes) in contents.texts { try write(bytes, name) }
    for (name, source) in contents.copies { try copy(source, name) }
    for (other, plans) in contents.others {
      try SafetensorsWriter.write(plans, to: "\(partial)/\(other)") { bytes in
        done += bytes
        return progress(done, total)
      }
    }
    if !contents.weights.isEmpty {
      try writeWeights(contents) { bytes in
        done += bytes
        return progress(done, total)
      }
    }
    let names = folderEntries(partial)
    try commit()
    return names
  }

  private func commit() throws(CheckpointError) {
    // Files in subfolders by their paths: a folder that is there is joined, not replaced.
    var names: [String] = []
    for name in folderEntries(partial) {
      let inner = folderEntries("\(partial)/\(name)")
      names += inner.isEmpty ? [name] : inner.map { "\(name)/\($0)" }
    }
    let weights = names.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".index.json") }
    try output { () throws(FileError) in
      if joins {
        for name in names where name.utf8.contains(UInt8(ascii: "/")) {
          let inner = name.split(separator: "/").dropLast().joined(separator: "/")
          _ = try makeFolders("\(folder)/\(inner)")
        }
        try new.commit(names.filter { !weights.contains($0) } + weights)
      } else {
        try new.commit()
      }
    }
  }

  private func checkSpace(_ needed: Int) throws(CheckpointError) {
    guard let free = freeSpace(partial) else { return }
    guard needed < free else {
      throw CheckpointError(
        "\(folder): \(needed) bytes are needed and \(free) are free on this disk", .output)
    }
  }

  private func write(_ bytes: [UInt8], _ name: String) throws(CheckpointError) {
    try output { () throws(FileError) in
      let inner = name.split(separator: "/").dropLast().joined(separator: "/")
      if !inner.isEmpty { _ = try makeFolders("\(partial)/\(inner)") }
      try NewFile.write(bytes, to: "\(partial)/\(name)")
    }
  }

  private func copy(_ source: String, _ name: String) throws(CheckpointError) {
    try write(try readBytes(source), name)
  }

  private func writeWeights(
    _ contents: CheckpointContents, _ progress: (Int) -> Bool
  ) throws(CheckpointError) {
    let metadata = contents.metadata
    var shards: [[TensorPlan]] = [[]]
    var size = 0
    for plan in contents.weights {
      if size > 0, size + plan.byteCount > contents.shardSize {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(plan)
      size += plan.byteCount
    }
    guard shards.count > 1 else {
      try SafetensorsWriter.write(
        contents.weights, metadata: metadata, to: "\(partial)/\(contents.name)",
        progress: progress)
      return
    }
    var map: [JSON.Member] = []
    for (index, shard) in shards.enumerated() {
      let name = "model-\(five(index + 1))-of-\(five(shards.count)).safetensors"
      try SafetensorsWriter.write(
        shard, metadata: metadata, to: "\(partial)/\(name)", progress: progress)
      map += shard.map { JSON.Member($0.name, .string(name)) }
    }
    let total = contents.weights.reduce(0) { $0 + $1.byteCount }
    let index: JSON = [
      "metadata": ["total_size": .int(total)], "weight_map": .object(map),
    ]
    try write(Array((index.pretty + "\n").utf8), "model.safetensors.index.json")
  }

  private func five(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(5 - digits.count, 0)) + digits
  }
}

/// Runs what writes a file; its errors are those of an output.
func output<Value>(_ body: () throws(FileError) -> Value) throws(CheckpointError) -> Value {
  do throws(FileError) {
    return try body()
  } catch {
    throw CheckpointError(error, .output)
  }
}
