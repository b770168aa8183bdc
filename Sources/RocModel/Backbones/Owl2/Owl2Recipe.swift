import RocCheckpoint
package import RocJSON
import RocTensor
import RocTokenizer

/// Sizes of a random mPLUG-Owl2, and the files of its checkpoint.
package struct Owl2Recipe: Sendable {
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

  private static let patch = 14

  static let tiny = Owl2Recipe(
    width: 64, heads: 4, layers: 2, feedForward: 176, positions: 2048, visionWidth: 48,
    visionHeads: 4, visionLayers: 2, visionFeedForward: 96, edge: 56, abstractorHeads: 4,
    abstractorLayers: 2, abstractorFeedForward: 96, queries: 8, pieces: nil)
  static let small = Owl2Recipe(
    width: 256, heads: 8, layers: 4, feedForward: 688, positions: 4096, visionWidth: 128,
    visionHeads: 8, visionLayers: 4, visionFeedForward: 512, edge: 224, abstractorHeads: 8,
    abstractorLayers: 3, abstractorFeedForward: 352, queries: 64, pieces: nil)
  package static let full = Owl2Recipe(
    width: 4096, heads: 32, layers: 32, feedForward: 11008, positions: 4096,
    visionWidth: 1024, visionHeads: 16, visionLayers: 24, visionFeedForward: 4096, edge: 448,
    abstractorHeads: 16, abstractorLayers: 6, abstractorFeedForward: 2816, queries: 64,
    pieces: 32_000)

  func recipe(_ request: RandomRequest) throws(TokenizerError) -> RandomRecipe {
    let tokenizer = try GeneratedTokenizer(words: RandomRecipe.words, count: pieces)
    let first = tokenizer.pieces.count
    var texts = TokenizerFiles.texts(
      added: TokenizerFiles.scoreTokens(request.tokens), first: first)
    texts["tokenizer.model"] = tokenizer.model
    texts["preprocessor_config.json"] = TokenizerFiles.bytes(preprocessor)
    texts["generation_config.json"] = TokenizerFiles.bytes([
      "_from_model_config": true, "bos_token_id": 1, "eos_token_id": 2,
      "transformers_version": "4.31.0",
    ])
    let words = [":", "▁The", "▁aesthetic", "▁rate", "▁of", "▁the", "▁image", "▁is"]
    let sentence = tokenizer.ids(words) + [first] + tokenizer.ids(["▁.", "▁"]) + [2]
    // Computed anew by every engine, but transformers 4.31 warns of weights without them. Never
    // rounded: transformers would use the rounded ones.
    let frequencies = RotaryTable.frequencies(width: width / heads, theta: 10_000)
    let frequencyPlans = (0..<layers).map {
      TensorPlan(
        name: "model.layers.\($0).self_attn.rotary_emb.inv_freq", dtype: .f32,
        shape: [frequencies.count], values: frequencies)
    }
    return RandomRecipe(
      config: config(pieces: first, request), texts: texts, sentence: sentence,
      finalNorm: "model.norm.weight",
      leading: [
        TensorPlan(name: "learned_weight", dtype: dtype(request), shape: [1], values: [0])
      ], trailing: frequencyPlans)
  }

  private func dtype(_ request: RandomRequest) -> DType {
    [DType.f32, .f16, .bf16].first { $0.torchName == request.dtype } ?? .f32
  }

  /// config.json with the names of the official one.
  ///
  /// - Parameters:
  ///   - pieces: Of the tokenizer; `[SCORE]` and the score tokens follow them.
  ///   - request: Says what score tokens stand for, and the weights' format.
  /// - Returns: The object.
  package func config(pieces: Int, _ request: RandomRequest) -> JSON {
    let tokens = request.tokens
    let vision: JSON = [
      "hidden_act": "quick_gelu", "hidden_size": .int(visionWidth),
      "image_size": .int(edge), "intermediate_size": .int(visionFeedForward),
      "layer_norm_eps": 1e-6, "model_type": "mplug_owl_vision_model",
      "num_attention_heads": .int(visionHeads), "num_channels": 3,
      "num_hidden_layers": .int(visionLayers), "patch_size": .int(Self.patch),
    ]
    let abstractor: JSON = [
      "encoder_hidden_size": .int(visionWidth),
      "grid_size": .int(edge / Self.patch), "hidden_size": .int(visionWidth),
      "intermediate_size": .int(abstractorFeedForward), "layer_norm_eps": 1e-6,
      "model_type": "mplug_owl_visual_abstract",
      "num_attention_heads": .int(abstractorHeads),
      "num_hidden_layers": .int(abstractorLayers),
      "num_learnable_queries": .int(queries),
    ]
    return [
      "architectures": ["MPLUGOwl2LlamaForCausalLM"], "attention_bias": false,
      "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
      "hidden_size": .int(width), "image_aspect_ratio": "pad",
      "img_token_num": .int(tokens), "initializer_range": 0.02,
      "intermediate_size": .int(feedForward),
      "max_position_embeddings": .int(positions), "max_score": JSON(number: request.high),
      "min_score": JSON(number: request.low), "model_type": "mplug_owl2",
      "num_attention_heads": .int(heads), "num_hidden_layers": .int(layers),
      "num_key_value_heads": .int(heads), "num_tokens": .int(tokens),
      "output_first_id": .int(pieces + 1), "output_last_id": .int(pieces + tokens),
      "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "score_id": .int(pieces),
      "tie_word_embeddings": false, "torch_dtype": .string(request.dtype),
      "transformers_version": "4.31.0", "use_cache": true,
      "visual_config": ["visual_abstractor": abstractor, "visual_model": vision],
      "vocab_size": .int(pieces + 1 + tokens),
    ]
  }

  /// preprocessor_config.json.
  private var preprocessor: JSON {
    let edge = JSON.int(self.edge)
    return [
      "crop_size": edge, "do_center_crop": true, "do_normalize": true, "do_resize": true,
      "feature_extractor_type": "CLIPFeatureExtractor",
      "image_mean": [0.48145466, 0.4578275, 0.40821073],
      "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": edge,
    ]
  }
}
