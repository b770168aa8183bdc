import RocFiles
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
  init?(folder: String, base given: String?) throws(CheckpointError) {
    let settings = "\(folder)/adapter_config.json"
    guard fileExists(settings) else { return nil }
    let config = try readJSON(settings)
    let weights = ["adapter_model.safetensors", "adapter_model.bin"]
      .first { fileExists("\(folder)/\($0)") }
    guard let weights else {
      throw CheckpointError(
        "\(folder): adapter_config.json without adapter_model.safetensors or adapter_model.bin")
    }
    baseBox = Box(try Self.base(config, given: given, folder: folder, settings: settings))
    let base = baseBox.checkpoint
    let scale = try Scale(config, settings)

    var replaced: [String: Tensor] = [:]
    var files = ["adapter_config.json", weights]
    if fileExists("\(folder)/\(Self.whole)") {
      files.append(Self.whole)
      for tensor in try WeightFile(path: "\(folder)/\(Self.whole)").tensors {
        try Self.replace(with: tensor, in: &replaced, base)
      }
    }
    var halves: [String: (down: Tensor?, up: Tensor?)] = [:]
    for tensor in try WeightFile(path: "\(folder)/\(weights)").tensors {
      guard tensor.name.contains("lora_") else {
        try Self.replace(with: tensor, in: &replaced, base)
        continue
      }
      let name = Self.plain(tensor.name)
      var isKnown = false
      for (mark, isDown) in [(".lora_A", true), (".lora_B", false)] {
        for end in [".weight", ".default.weight"] where name.hasSuffix(mark + end) {
          let layer = Self.stored("\(name.dropLast((mark + end).count)).weight", in: base)
          let half = halves[layer, default: (nil, nil)]
          isKnown = (isDown ? half.down : half.up) == nil
          halves[layer] = isDown ? (tensor, half.up) : (half.down, tensor)
        }
      }
      guard isKnown else {
        throw CheckpointError(
          """
          \(folder)/\(weights): tensor \(tensor.name): only one adapter of LoRA on linear layers, \
          without biases, is supported
          """)
      }
    }
    var updates: [String: LowRankUpdate] = [:]
    for (name, half) in halves.sorted(by: { $0.key < $1.key }) {
      guard let down = half.down, let up = half.up else {
        throw CheckpointError("\(folder)/\(weights): \(name) has only one of lora_A and lora_B")
      }
      let target = replaced[name] ?? Self.tensor(name, of: base)
      guard let target, target.shape.count == 2, down.shape.count == 2, up.shape.count == 2,
        down.shape[0] > 0,
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

  /// Takes a whole tensor, which must have its place in the base.
  private static func replace(
    with tensor: Tensor, in replaced: inout [String: Tensor], _ base: Checkpoint
  ) throws(CheckpointError) {
    if tensor.name.contains(".original_module.") { return }
    let name = stored(plain(tensor.name), in: base)
    guard Self.tensor(name, of: base) != nil || name == "learned_weight" else {
      throw CheckpointError(
        "\(tensor.path): tensor \(tensor.name) belongs to nothing in \(base.folder)")
    }
    guard replaced.updateValue(tensor.renamed(name), forKey: name) == nil else {
      throw CheckpointError("\(tensor.path): \(name) is replaced twice")
    }
  }

  /// A tensor of the base; a base with tied embeddings has no head of its own.
  private static func tensor(_ name: String, of base: Checkpoint) -> Tensor? {
    if let own = base[name] { return own }
    guard name.hasSuffix("lm_head.weight") else { return nil }
    return [
      "model.embed_tokens.weight", "model.language_model.embed_tokens.weight",
      "language_model.model.embed_tokens.weight",
    ].lazy.compactMap { base[$0] }.first
  }

  /// The name that a base's files have: from transformers 4.52 on, models of pictures and text are
  /// spelled differently in memory, and adapters are saved with the names in memory.
  private static func stored(_ name: String, in base: Checkpoint) -> String {
    guard base[name] == nil else { return name }
    let spellings = [
      ("model.language_model.", "language_model.model."), ("model.language_model.", "model."),
      ("model.visual.", "visual."), ("model.vision_tower.", "vision_tower."),
      ("model.multi_modal_projector.", "multi_modal_projector."),
      ("lm_head.", "language_model.lm_head."),
    ]
    for (memory, file) in spellings where name.hasPrefix(memory) {
      let other = file + name.dropFirst(memory.count)
      if base[other] != nil { return other }
    }
    return name
  }

  /// The name in the base model: wrappers and `modules_to_save` copies have longer ones.
  private static func plain(_ name: String) -> String {
    var name = TensorName.unwrapped(name)
    if name.hasPrefix("base_model.") { name = String(name.dropFirst("base_model.".count)) }
    if name.hasPrefix("model.model.") { name = String(name.dropFirst("model.".count)) }
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if let saved = parts.firstIndex(of: "modules_to_save") {
      // Followed by the adapter's name where there may be several.
      let hasName = parts.count > saved + 2
      parts.removeSubrange(saved...(hasName ? saved + 1 : saved))
    }
    return parts.filter { $0 != "base_layer" }.joined(separator: ".")
  }

  private static func base(
    _ config: JSON, given: String?, folder: String, settings: String
  ) throws(CheckpointError) -> Checkpoint {
    let named = config["base_model_name_or_path"]?.string
    guard let name = given ?? named, !name.isEmpty else {
      throw CheckpointError("\(settings): no base_model_name_or_path; give the base with --base")
    }
    let beside = name.hasPrefix("/") || given != nil ? name : "\(folder)/\(name)"
    let path = fileExists(beside) ? beside : try HubCache.resolve(name)
    guard fileExists(path) else {
      throw CheckpointError(
        """
        \(settings): the base \(name) is neither a folder nor in the Hugging Face cache; give it \
        with --base
        """)
    }
    guard absolutePath(path) != absolutePath(folder) else {
      throw CheckpointError("\(settings): the adapter names itself as its base")
    }
    // Before it is read: two adapters may name each other.
    guard !fileExists("\(path)/adapter_config.json") else {
      throw CheckpointError(
        "\(settings): the base \(name) is an adapter itself; convert that one first")
    }
    let base = try Checkpoint(folder: path)
    guard base.layout == nil else {
      throw CheckpointError(
        "\(settings): the base \(name) is packed; use the checkpoint that it was made from")
    }
    return base
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
    for flag in ["use_dora", "fan_in_fan_out", "lora_bias"] where config[flag]?.bool == true {
      throw CheckpointError("\(path): \(flag) true is not supported")
    }
    for field in ["layer_replication", "trainable_token_indices"]
    where !(config[field]?.isNull ?? true) {
      throw CheckpointError("\(path): \(field) is not supported")
    }
    // These also change the base's weights, and the adapter does not hold the changed ones.
    if let kind = config["init_lora_weights"]?.string?.lowercased(),
      ["pissa", "olora", "corda", "loftq", "eva"].contains(where: kind.hasPrefix)
    {
      throw CheckpointError("\(path): init_lora_weights \(kind) is not supported")
    }
    for entry in config["alpha_pattern"]?.members ?? [] {
      // peft reads them as regular expressions; a dot matches itself in both.
      guard entry.name.allSatisfy({ $0.isLetter || $0.isNumber || "_.".contains($0) }) else {
        throw CheckpointError(
          "\(path): alpha_pattern \(entry.name): expected the end of a layer's name")
      }
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
    let b = compute.matrix(outputs, rank, up.widened.map { $0 * scale })
    let sum = compute.matrix(outputs, inputs, weights.widened)
    Linear(packed, bias: nil).apply(b, into: sum, finish: .add, compute)
    return RawWeights(copying: sum, "merged")
  }
}
