import RocJSON
import RocTensor

/// A CLIP vision tower as transformers spells it, of which LLaVA takes what a layer before the last
/// one gives.
struct HuggingFaceCLIP: Sendable {
  let settings: CLIPSettings
  /// Whether the class token is among the features.
  let keepsClass: Bool
  private let prefix: String

  /// - Parameters:
  ///   - config: Of the tower.
  ///   - prefix: What stands before `embeddings` and `encoder`.
  ///   - layer: The one whose result is taken, of `num_hidden_layers`; negative numbers count from
  ///     the end, `-1` being the last layer.
  ///   - select: `default` and `patch` leave out the class token, `full` and `cls_patch` keep it.
  /// - Throws: `ModelError.checkpoint` for what is not computed here.
  init(
    _ config: ConfigReader, prefix: String, layer: Int, select: String
  ) throws(ModelError) {
    switch select {
    case "default", "patch": keepsClass = false
    case "full", "cls_patch": keepsClass = true
    default:
      throw .checkpoint(
        """
        \(config.place): features \(select) of the vision tower are not supported, expected \
        default, patch, full or cls_patch
        """)
    }
    if let kind = config.json["model_type"]?.string, kind != "clip_vision_model" {
      throw .checkpoint(
        """
        \(config.place): the vision tower is a \(kind), expected a clip_vision_model; its features \
        would be others
        """)
    }
    self.prefix = prefix
    let place = config.place
    settings = try CLIPSettings(
      config,
      names: .init(
        patches: "\(prefix)embeddings.patch_embedding",
        classToken: "\(prefix)embeddings.class_embedding",
        positions: "\(prefix)embeddings.position_embedding.weight",
        // The official name lacks an e.
        preNorm: "\(prefix)pre_layrnorm", postNorm: nil, layers: "\(prefix)encoder.layers",
        layer: .init(
          attentionNorm: "layer_norm1",
          queryKeyValue: .separate(
            query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj"),
          output: "self_attn.out_proj", mlpNorm: "layer_norm2", expand: "mlp.fc1",
          reduce: "mlp.fc2"),
        hasPictureAxis: false),
      defaults: .clip
    ) { count throws(ModelError) in
      // hidden_states[0] is what the first layer takes.
      let computed = layer < 0 ? count + 1 + layer : layer
      guard (1...count).contains(computed) else {
        throw .checkpoint("\(place): the features of layer \(layer) of \(count) do not exist")
      }
      return computed
    }
  }

  /// Rows that the language model gets of a picture.
  var rows: Int { settings.tokens - (keepsClass ? 0 : 1) }

  func tower(_ reader: WeightReader, _ compute: Compute) -> CLIPTower {
    reader.ignore(prefix: "\(prefix)post_layernorm.")
    // A buffer that older files have.
    reader.ignore("\(prefix)embeddings.position_ids")
    return CLIPTower(reader, settings, compute)
  }
}
