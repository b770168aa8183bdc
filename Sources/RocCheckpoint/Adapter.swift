import RocJSON
package import RocTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder of adapter weights: what `peft` writes, and the official trainer's LoRA folders with
/// the tensors that it trained whole in `non_lora_trainables.bin`.
///
/// peft: https://huggingface.co/docs/peft/developer_guides/checkpoint. The official loader puts the
/// whole tensors over the base first, then adds the low-rank products.
package struct Adapter: Sendable {
  /// The files of the adapter itself.
  package let files: [String]
  /// Low-rank updates by the name of the weight they change.
  package let updates: [String: LowRankUpdate]
  /// Tensors that take the place of the base's.
  package let replaced: [String: Tensor]
  private let baseBox: Box

  /// Structs cannot hold themselves.
  private final class Box: Sendable {
    let checkpoint: Checkpoint
    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }
  }

  /// The checkpoint that is adapted.
  package var base: Checkpoint { baseBox.checkpoint }

  private static let whole = "non_lora_trainables.bin"

  /// - Returns: Nil for a folder without adapter_config.json.
  /// - Throws: `CheckpointError` when the base cannot be found or a tensor belongs to nothing.
  init?(folder: String) throws(CheckpointError) {
    let settings = "\(folder)/adapter_config.json"
    guard fileExists(settings) else { return nil }
    let config = try readJSON(settings)
    let weights = ["adapter_model.safetensors", "adapter_model.bin"]
      .first { fileExists("\(folder)/\($0)") }
    guard let weights else {
      throw CheckpointError(
        "\(folder): adapter_config.json without adapter_model.safetensors or adapter_model.bin")
    }
    baseBox = Box(try Self.base(config, folder: folder, settings: settings))
    let base = baseBox.checkpoint
    let scale = try Scale(config, settings)

    var replaced: [String: Tensor] = [:]
    var files = ["adapter_config.json", weights]
    if fileExists("\(folder)/\(Self.whole)") {
      files.append(Self.whole)
      for tensor in try WeightFile(path: "\(folder)/\(Self.whole)").tensors {
        let name = Self.plain(tensor.name)
        replaced[name] = tensor.renamed(name)
      }
    }
    var halves: [String: (down: Tensor?, up: Tensor?)] = [:]
    for tensor in try WeightFile(path: "\(folder)/\(weights)").tensors {
      let name = Self.plain(tensor.name)
      if let cut = name.firstRange(ofText: ".lora_A") {
        halves["\(name[..<cut]).weight", default: (nil, nil)].down = tensor
      } else if let cut = name.firstRange(ofText: ".lora_B") {
        halves["\(name[..<cut]).weight", default: (nil, nil)].up = tensor
      } else if name.contains(".lora_") {
        throw CheckpointError(
          "\(folder)/\(weights): tensor \(tensor.name): only LoRA on linear layers is supported")
      } else {
        replaced[name] = tensor.renamed(name)
      }
    }
    var updates: [String: LowRankUpdate] = [:]
    for (name, half) in halves.sorted(by: { $0.key < $1.key }) {
      guard let down = half.down, let up = half.up else {
        throw CheckpointError("\(folder)/\(weights): \(name) has only one of lora_A and lora_B")
      }
      let target = replaced[name] ?? base[name]
      guard let target, target.shape.count == 2, down.shape.count == 2, up.shape.count == 2,
        down.shape[0] == up.shape[1], up.shape[0] == target.shape[0],
        down.shape[1] == target.shape[1]
      else {
        throw CheckpointError(
          """
          \(folder)/\(weights): \(name): lora_B \(up.shape) times lora_A \(down.shape) does not \
          fit the base's \(target?.shape.description ?? "missing tensor")
          """)
      }
      for tensor in [down, up] where ![.f32, .f16, .bf16].contains(tensor.dtype) {
        throw CheckpointError(
          "\(folder)/\(weights): tensor \(tensor.name) is \(tensor.dtype.rawValue)")
      }
      updates[name] = LowRankUpdate(down: down, up: up, scale: scale.of(name, rank: down.shape[0]))
    }
    self.files = files
    self.updates = updates
    self.replaced = replaced
  }

  /// The name in the base model: wrappers and `modules_to_save` copies have longer ones.
  private static func plain(_ name: String) -> String {
    var name = name
    for prefix in ["base_model.model.", "base_model."] where name.hasPrefix(prefix) {
      name = String(name.dropFirst(prefix.count))
    }
    if name.hasPrefix("model.model.") { name = String(name.dropFirst("model.".count)) }
    for part in [".modules_to_save.default", ".modules_to_save", ".base_layer"] {
      if let cut = name.firstRange(ofText: part) {
        let rest = name.utf8.index(cut, offsetBy: part.utf8.count)
        name = String(name[..<cut]) + String(name[rest...])
      }
    }
    return name
  }

  private static func base(
    _ config: JSON, folder: String, settings: String
  ) throws(CheckpointError) -> Checkpoint {
    guard let name = config["base_model_name_or_path"]?.string, !name.isEmpty else {
      throw CheckpointError("\(settings): no base_model_name_or_path")
    }
    let beside = name.hasPrefix("/") ? name : "\(folder)/\(name)"
    let path = fileExists(beside) ? beside : try HubCache.resolve(name)
    guard fileExists(path) else {
      throw CheckpointError(
        "\(settings): the base \(name) is neither a folder nor in the Hugging Face cache")
    }
    guard realPath(path) != realPath(folder) else {
      throw CheckpointError("\(settings): the adapter names itself as its base")
    }
    let base = try Checkpoint(folder: path)
    guard base.adapter == nil, base.layout == nil else {
      throw CheckpointError(
        "\(settings): the base \(name) must be an ordinary checkpoint, neither adapter nor packed")
    }
    return base
  }

  private static func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

/// How strongly low-rank updates count, from adapter_config.json.
private struct Scale {
  private let alpha: Double
  private let isRankStabilised: Bool
  private let alphas: [(suffix: String, value: Double)]

  init(_ config: JSON, _ path: String) throws(CheckpointError) {
    guard let alpha = config["lora_alpha"]?.double else {
      throw CheckpointError("\(path): no lora_alpha")
    }
    if let type = config["peft_type"]?.string, type != "LORA" {
      throw CheckpointError("\(path): peft_type \(type), expected LORA")
    }
    for flag in ["use_dora", "fan_in_fan_out"] where config[flag]?.bool == true {
      throw CheckpointError("\(path): \(flag) true is not supported")
    }
    self.alpha = alpha
    isRankStabilised = config["use_rslora"]?.bool == true
    alphas = (config["alpha_pattern"]?.members ?? []).compactMap { entry in
      entry.value.double.map { (entry.name, $0) }
    }
  }

  func of(_ name: String, rank: Int) -> Float {
    let layer = name.dropLast(".weight".count)
    let own = alphas.first { layer == $0.suffix || layer.hasSuffix(".\($0.suffix)") }?.value
    let rank = Double(max(rank, 1))
    return Float((own ?? alpha) / (isRankStabilised ? rank.squareRoot() : rank))
  }
}

/// scale · B A, to be added to a weight matrix.
package struct LowRankUpdate: Sendable {
  /// A, [rank, inputs].
  package let down: Tensor
  /// B, [outputs, rank].
  package let up: Tensor
  package let scale: Float

  /// W + scale · B A in float32.
  package func merged(into weights: RawWeights, compute: Compute) -> RawWeights? {
    let (rank, inputs, outputs) = (down.shape[0], down.shape[1], up.shape[0])
    let a = down.widened
    var transposed = [Float](repeating: 0, count: a.count)
    for row in 0..<rank {
      for column in 0..<inputs { transposed[column * rank + row] = a[row * inputs + column] }
    }
    guard let factor = RawWeights(copying: transposed, rows: inputs, columns: rank, "lora_A"),
      let packed = PackedWeights(factor, precision: .f32, compute: compute)
    else { return nil }
    let b = Matrix(rows: outputs, columns: rank, up.widened.map { $0 * scale })
    let sum = Matrix(rows: outputs, columns: inputs, weights.widened)
    Linear(packed, bias: nil).apply(b, into: sum, finish: .add, compute)
    return RawWeights(copying: sum, "merged")
  }
}

extension String {
  /// Where `text` first occurs.
  fileprivate func firstRange(ofText text: String) -> String.Index? {
    let own = Array(utf8)
    let other = Array(text.utf8)
    guard own.count >= other.count else { return nil }
    for start in 0...(own.count - other.count) where own[start...].starts(with: other) {
      return utf8.index(startIndex, offsetBy: start)
    }
    return nil
  }
}
