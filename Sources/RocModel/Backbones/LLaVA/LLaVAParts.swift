import RocJSON
import RocTensor

/// What both layouts of LLaVA-1.5 share: a CLIP tower, an MLP projector and a LLaMA decoder
/// (https://arxiv.org/abs/2310.03744).
struct LLaVAParts: Sendable {
  let tower: HuggingFaceCLIP
  let projector: ProjectorSettings
  let language: LlamaSettings

  var sizes: BackboneSizes {
    BackboneSizes(
      vocabulary: language.vocabulary, maxPositions: language.maxPositions,
      pictureRows: tower.rows, isTied: language.isTied,
      branchEnds: [
        ("self_attn.o_proj.weight", language.layers), ("mlp.down_proj.weight", language.layers),
        ("self_attn.out_proj.weight", tower.settings.layers),
        ("mlp.fc2.weight", tower.settings.layers),
      ])
  }

  var facts: [(name: String, value: String)] {
    [
      ("language", language.summary), ("vision", tower.settings.summary),
      (
        "projector",
        "\(projector.layers.count) layers, \(projector.inputs) to \(projector.outputs)"
      ),
    ]
  }

  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks {
    Networks(
      vision: tower.tower(reader, compute), connector: Projector(reader, projector, compute),
      language: LlamaDecoder(reader, language, compute))
  }

  /// The trainer of transformers leaves biases, LayerNorms and, from 4.36 on, LLaMA's RMS norms out
  /// of weight decay (`get_parameter_names` with `ALL_LAYERNORM_LAYERS`).
  static func decays(_ name: String) -> Bool {
    if name.hasSuffix("bias") { return false }
    return !["layer_norm", "layrnorm", "layernorm", "norm"].contains { ending in
      name.split(separator: ".").dropLast().last.map {
        ending == "norm" ? $0 == "norm" : $0.contains(ending)
      } ?? false
    }
  }

  /// Refuses a decoder that is not LLaMA's.
  static func checkDecoder(_ config: ConfigReader) throws(ModelError) {
    if let kind = config.json["model_type"]?.string,
      !["llama", "llava", "llava_llama"].contains(kind)
    {
      throw .checkpoint(
        "\(config.place): the language model is a \(kind), expected llama; it computes otherwise")
    }
  }
}
