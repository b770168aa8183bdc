import RocDigest
package import RocJSON
import RocTensor

/// A checkpoint folder: its configuration files and its mapped weights.
package struct Checkpoint: Sendable {
  package let folder: String
  /// The weight files, in the order of their names.
  package let weightFiles: [String]
  private let tensors: [String: Tensor]

  /// Maps every weight file of `folder`: `model.safetensors`, or the shards of its index.
  ///
  /// - Throws: `CheckpointError` when files are missing, cut or contradict the index.
  package init(folder: String) throws(CheckpointError) {
    self.folder = folder
    let single = "\(folder)/model.safetensors"
    let index = "\(folder)/model.safetensors.index.json"
    if fileExists(index) {
      let shards = try Self.shards(index)
      weightFiles = Set(shards.values).sorted()
      tensors = try Self.readShards(folder: folder, shards: shards, index: index)
    } else if fileExists(single) {
      weightFiles = ["model.safetensors"]
      tensors = try Self.byName(SafetensorsFile(path: single).tensors)
    } else {
      throw CheckpointError(Self.noWeights(in: folder))
    }
  }

  private static func noWeights(in folder: String) -> String {
    guard fileExists(folder) else { return "\(folder): there is no such checkpoint folder" }
    if fileExists("\(folder)/pytorch_model.bin")
      || fileExists("\(folder)/pytorch_model.bin.index.json")
    {
      return """
        \(folder): holds PyTorch .bin weights, and only safetensors weights are read; convert \
        them with safetensors.torch.save_file
        """
    }
    return """
      \(folder): no weights; expected model.safetensors or model.safetensors.index.json with its \
      shards
      """
  }

  private static func shards(_ index: String) throws(CheckpointError) -> [String: String] {
    let json = try readJSON(index)
    guard let map = json["weight_map"]?.members else {
      throw CheckpointError("\(index): no weight_map object")
    }
    var shards: [String: String] = [:]
    for entry in map {
      guard let file = entry.value.string, !file.isEmpty, !file.contains("/"), file != ".." else {
        throw CheckpointError(
          "\(index): \(entry.name) is in \(entry.value.line), expected a file name in the folder")
      }
      shards[entry.name] = file
    }
    return shards
  }

  private static func readShards(
    folder: String, shards: [String: String], index: String
  ) throws(CheckpointError) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for file in Set(shards.values).sorted() {
      for tensor in try SafetensorsFile(path: "\(folder)/\(file)").tensors {
        guard tensors.updateValue(tensor, forKey: tensor.name) == nil else {
          throw CheckpointError("\(folder): tensor \(tensor.name) is in more than one shard")
        }
      }
    }
    for (name, file) in shards.sorted(by: { $0.key < $1.key }) where tensors[name] == nil {
      throw CheckpointError("\(folder)/\(file): tensor \(name) is missing, \(index) puts it there")
    }
    return tensors
  }

  private static func byName(_ tensors: [Tensor]) -> [String: Tensor] {
    Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The tensor of that name, or nil.
  package subscript(name: String) -> Tensor? { tensors[name] }

  /// All names, sorted.
  package var names: [String] { tensors.keys.sorted() }

  /// Bytes of all tensors together.
  package var byteCount: Int { tensors.values.reduce(0) { $0 + $1.byteCount } }

  /// A configuration file of the folder.
  package func json(_ name: String) throws(CheckpointError) -> JSON {
    try readJSON("\(folder)/\(name)")
  }

  /// SHA-256 over the lines `<sha256>  <file name>` of weights, config, tokenizer and
  /// preprocessor files, sorted by name.
  package func sha256() throws(CheckpointError) -> String {
    let companions = [
      "config.json", "preprocessor_config.json", "tokenizer.model", "tokenizer_config.json",
      "special_tokens_map.json", "added_tokens.json",
    ]
    var lines = ""
    for name in (weightFiles + companions).sorted() where fileExists("\(folder)/\(name)") {
      do throws(FileError) {
        lines += "\(try SHA256.of(file: "\(folder)/\(name)"))  \(name)\n"
      } catch {
        throw CheckpointError(error)
      }
    }
    return SHA256.of(lines)
  }
}
