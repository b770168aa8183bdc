package import RocJSON

/// Sizes of a model that `roc-model init` makes.
package enum ModelPreset: String, Sendable, CaseIterable {
  /// A third of a million values, for tests.
  case tiny
  /// 5 million values.
  case small
  /// ROC4MLLM's 8.2 billion.
  case full

  struct Sizes {
    var width: Int
    var heads: Int
    var layers: Int
    var feedForward: Int
    var positions: Int
    var visionWidth: Int
    var visionHeads: Int
    var visionLayers: Int
    var visionFeedForward: Int
    var edge: Int
    var abstractorHeads: Int
    var abstractorLayers: Int
    var abstractorFeedForward: Int
    var queries: Int
    /// Pieces of the tokenizer; nil for as few as will do.
    var pieces: Int?

    static let patch = 14
  }

  var sizes: Sizes {
    switch self {
    case .tiny:
      Sizes(
        width: 64, heads: 4, layers: 2, feedForward: 176, positions: 2048, visionWidth: 48,
        visionHeads: 4, visionLayers: 2, visionFeedForward: 96, edge: 56, abstractorHeads: 4,
        abstractorLayers: 2, abstractorFeedForward: 96, queries: 8, pieces: nil)
    case .small:
      Sizes(
        width: 256, heads: 8, layers: 4, feedForward: 688, positions: 4096, visionWidth: 128,
        visionHeads: 8, visionLayers: 4, visionFeedForward: 512, edge: 224, abstractorHeads: 8,
        abstractorLayers: 3, abstractorFeedForward: 352, queries: 64, pieces: nil)
    case .full:
      Sizes(
        width: 4096, heads: 32, layers: 32, feedForward: 11008, positions: 4096,
        visionWidth: 1024, visionHeads: 16, visionLayers: 24, visionFeedForward: 4096, edge: 448,
        abstractorHeads: 16, abstractorLayers: 6, abstractorFeedForward: 2816, queries: 64,
        pieces: 32_000)
    }
  }

  /// config.json with the names of the official one.
  ///
  /// - Parameters:
  ///   - pieces: Of the tokenizer; `[SCORE]` and the score tokens follow them.
  ///   - tokens: Score tokens.
  ///   - low: The score of the first one.
  ///   - high: The score of the last one.
  ///   - dtype: PyTorch's name of the weights' format.
  /// - Returns: The object.
  package func config(
    pieces: Int, tokens: Int, low: Double, high: Double, dtype: String
  ) -> JSON {
    let sizes = sizes
    let vision: JSON = [
      "hidden_act": "quick_gelu", "hidden_size": .int(sizes.visionWidth),
      "image_size": .int(sizes.edge), "intermediate_size": .int(sizes.visionFeedForward),
      "layer_norm_eps": 1e-6, "model_type": "mplug_owl_vision_model",
      "num_attention_heads": .int(sizes.visionHeads), "num_channels": 3,
      "num_hidden_layers": .int(sizes.visionLayers), "patch_size": .int(Sizes.patch),
    ]
    let abstractor: JSON = [
      "encoder_hidden_size": .int(sizes.visionWidth),
      "grid_size": .int(sizes.edge / Sizes.patch), "hidden_size": .int(sizes.visionWidth),
      "intermediate_size": .int(sizes.abstractorFeedForward), "layer_norm_eps": 1e-6,
      "model_type": "mplug_owl_visual_abstract",
      "num_attention_heads": .int(sizes.abstractorHeads),
      "num_hidden_layers": .int(sizes.abstractorLayers),
      "num_learnable_queries": .int(sizes.queries),
    ]
    return [
      "architectures": ["MPLUGOwl2LlamaForCausalLM"], "attention_bias": false,
      "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
      "hidden_size": .int(sizes.width), "image_aspect_ratio": "pad",
      "img_token_num": .int(tokens), "initializer_range": 0.02,
      "intermediate_size": .int(sizes.feedForward),
      "max_position_embeddings": .int(sizes.positions), "max_score": JSON(number: high),
      "min_score": JSON(number: low), "model_type": "mplug_owl2",
      "num_attention_heads": .int(sizes.heads), "num_hidden_layers": .int(sizes.layers),
      "num_key_value_heads": .int(sizes.heads), "num_tokens": .int(tokens),
      "output_first_id": .int(pieces + 1), "output_last_id": .int(pieces + tokens),
      "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "score_id": .int(pieces),
      "tie_word_embeddings": false, "torch_dtype": .string(dtype),
      "transformers_version": "4.31.0", "use_cache": true,
      "visual_config": ["visual_abstractor": abstractor, "visual_model": vision],
      "vocab_size": .int(pieces + 1 + tokens),
    ]
  }

  /// preprocessor_config.json.
  package var preprocessor: JSON {
    let edge = JSON.int(sizes.edge)
    return [
      "crop_size": edge, "do_center_crop": true, "do_normalize": true, "do_resize": true,
      "feature_extractor_type": "CLIPFeatureExtractor",
      "image_mean": [0.48145466, 0.4578275, 0.40821073],
      "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": edge,
    ]
  }
}
