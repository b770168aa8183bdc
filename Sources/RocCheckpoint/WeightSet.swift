import RocFiles
import RocJSON

/// The weight files of a folder that belong together, and their tensors.
struct WeightSet {
  /// In the order of the names.
  let names: [String]
  let files: [WeightFile]
  let tensors: [String: Tensor]
  let notes: [String]

  /// Single files and indexes, in the order in which they are looked for.
  private static let singles = ["model.safetensors", "pytorch_model.bin"]

  /// - Returns: Nil for a folder without weights.
  /// - Throws: `CheckpointError` when files are missing, cut, contradict the index or each other.
  init?(in folder: String) throws(CheckpointError) {
    var shards: (index: String, files: [String: String])?
    var notes: [String] = []
    guard let found = try Self.find(in: folder, &shards, &notes) else { return nil }
    names = found
    var files: [WeightFile] = []
    for name in names { files.append(try WeightFile(path: "\(folder)/\(name)")) }
    self.files = files
    var tensors: [String: Tensor] = [:]
    for tensor in files.flatMap(\.tensors) {
      guard tensors.updateValue(tensor, forKey: tensor.name) == nil else {
        throw CheckpointError("\(folder): tensor \(tensor.name) is in more than one shard")
      }
    }
    for (name, file) in (shards?.files ?? [:]).sorted(by: { $0.key < $1.key })
    where tensors[name] == nil {
      throw CheckpointError(
        "\(folder)/\(file): tensor \(name) is missing, \(shards?.index ?? "") puts it there")
    }
    (self.tensors, self.notes) = try Self.unwrapped(tensors, folder: folder, notes)
  }

  /// File names; the single file comes before an index that may be an old one, as in transformers.
  private static func find(
    in folder: String, _ shards: inout (index: String, files: [String: String])?,
    _ notes: inout [String]
  ) throws(CheckpointError) -> [String]? {
    for single in singles {
      if fileExists("\(folder)/\(single)") { return [single] }
      let index = "\(folder)/\(single).index.json"
      if fileExists(index) {
        let files = try listed(index)
        shards = (index, files)
        return Set(files.values).sorted()
      }
    }
    guard let found = try unlisted(in: folder) else { return nil }
    notes.append(
      "\(folder): no index names the \(found.count) shards; they were read by their own headers")
    return found
  }

  private static func listed(_ index: String) throws(CheckpointError) -> [String: String] {
    let json = try readJSON(index)
    guard let map = json["weight_map"]?.members else {
      throw CheckpointError("\(index): no weight_map object")
    }
    var shards: [String: String] = [:]
    for entry in map {
      guard let file = entry.value.string, !file.isEmpty, !file.utf8.contains(UInt8(ascii: "/")),
        file != ".."
      else {
        throw CheckpointError(
          "\(index): \(entry.name) is in \(entry.value.line), expected a file name in the folder")
      }
      shards[entry.name] = file
    }
    return shards
  }

  /// Shards that no index names: `<stem>-00001-of-00003.<ending>`, all with the same total.
  private static func unlisted(in folder: String) throws(CheckpointError) -> [String]? {
    var sets: [String: [Int: String]] = [:]
    var counts: [String: Int] = [:]
    for name in folderEntries(folder) {
      guard let match = name.wholeMatch(of: /(.+)-([0-9]{5})-of-([0-9]{5})\.(safetensors|bin)/),
        let number = Int(match.2), let count = Int(match.3)
      else { continue }
      let set = "\(match.1)-*-of-\(match.3).\(match.4)"
      sets[set, default: [:]][number] = name
      counts[set] = count
    }
    guard let (set, files) = sets.first else { return nil }
    guard sets.count == 1 else {
      throw CheckpointError(
        """
        \(folder): no index, and shards of \(sets.keys.sorted().joined(separator: " and of ")); \
        leave those of one set
        """)
    }
    let count = counts[set] ?? 0
    let missing = (1...max(count, 1)).filter { files[$0] == nil }
    guard missing.isEmpty, files.count == count else {
      throw CheckpointError(
        """
        \(folder): \(files.count) of \(count) shards \(set) are there; missing: \
        \(missing.prefix(10).map(String.init).joined(separator: ", "))
        """)
    }
    return files.values.sorted()
  }

  /// Tensors by the names that the model gives them, without what wrappers put around those.
  private static func unwrapped(
    _ tensors: [String: Tensor], folder: String, _ notes: [String]
  ) throws(CheckpointError) -> ([String: Tensor], [String]) {
    if let half = tensors.keys.first(where: { $0.contains(".lora_A.") || $0.contains(".lora_B.") })
    {
      throw CheckpointError(
        """
        \(folder): tensor \(half) is part of an adapter that was not merged into these weights; \
        merge it (peft's merge_and_unload), or give the adapter's own folder
        """)
    }
    let changed = tensors.keys.map { ($0, TensorName.unwrapped($0)) }.filter { $0.0 != $0.1 }
    guard let example = changed.min(by: { $0.0 < $1.0 }) else { return (tensors, notes) }
    var result: [String: Tensor] = [:]
    for (old, tensor) in tensors {
      let new = TensorName.unwrapped(old)
      guard result.updateValue(tensor.renamed(new), forKey: new) == nil else {
        throw CheckpointError(
          "\(folder): two tensors are \(new) once wrappers' prefixes are taken off")
      }
    }
    let note = """
      \(folder): \(changed.count) of \(tensors.count) tensor names have a wrapper's prefix, which was \
      taken off: \(example.0) is \(example.1)
      """
    return (result, notes + [note])
  }

  /// Why a folder has no weights.
  static func reasonForNone(in folder: String) -> String {
    guard fileExists(folder) else { return "\(folder): there is no such checkpoint folder" }
    let others = folderEntries(folder).filter {
      [".safetensors", ".bin", ".pt", ".pth", ".gguf"].contains(where: $0.hasSuffix)
    }
    let found = others.isEmpty ? "" : "; found \(others.prefix(5).joined(separator: ", "))"
    return """
      \(folder): no weights; expected model.safetensors, pytorch_model.bin, an index of one of \
      them with its shards, or adapter_config.json\(found)
      """
  }
}

/// What wrappers put around the names of a model's tensors.
enum TensorName {
  /// DataParallel, DeepSpeed and peft put theirs first.
  private static let leading = ["module.", "base_model.model."]
  /// torch.compile, FSDP and activation checkpointing put theirs anywhere.
  private static let anywhere = [
    "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]

  /// The name as the model has it.
  static func unwrapped(_ name: String) -> String {
    var name = name
    if name.contains("_wrapped_module") || name.contains("_orig_mod") {
      name = name.split(separator: ".", omittingEmptySubsequences: false)
        .filter { !anywhere.contains(String($0)) }.joined(separator: ".")
    }
    while let prefix = leading.first(where: name.hasPrefix) {
      name = String(name.dropFirst(prefix.count))
    }
    return name
  }
}
