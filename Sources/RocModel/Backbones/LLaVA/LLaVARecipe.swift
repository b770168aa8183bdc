import RocJSON
import RocTokenizer

/// Sizes of a random LLaVA-1.5, and the files of its checkpoint in the layout of llava-hf.
struct LLaVARecipe: Sendable {
  let width: Int
  let heads: Int
  let layers: Int
  let feedForward: Int
  let visionWidth: Int
  let visionHeads: Int
  let visionLayers: Int
  let visionFeedForward: Int
  let edge: Int
  /// Pieces of the tokenizer; nil for as few as will do.
  let pieces: Int?
  /// What the number of rows of embeddings and head is a multiple of.
  let rowsMultiple: Int

  static let tiny = LLaVARecipe(
    width: 64, heads: 4, layers: 2, feedForward: 176, visionWidth: 48, visionHeads: 4,
    visionLayers: 3, visionFeedForward: 96, edge: 56, pieces: nil, rowsMultiple: 64)
  /// llava-hf/llava-1.5-7b-hf: 32064 rows for 32002 tokens, so score tokens fit in.
  static let full = LLaVARecipe(
    width: 4096, heads: 32, layers: 32, feedForward: 11008, visionWidth: 1024, visionHeads: 16,
    visionLayers: 24, visionFeedForward: 4096, edge: 336, pieces: 32_000, rowsMultiple: 64)

  func recipe(_ request: RandomRequest) throws(TokenizerError) -> RandomRecipe {
    let tokenizer = try GeneratedTokenizer(words: RandomRecipe.words, count: pieces)
    let imageID = tokenizer.pieces.count
    let scoreID = imageID + 2
    let scores = TokenizerFiles.scoreTokens(request.tokens)
    let added = [("<image>", true), ("<pad>", true)] + scores.map { ($0, false) }
    let rows = (scoreID + 1 + request.tokens + rowsMultiple - 1) / rowsMultiple * rowsMultiple
    var texts = TokenizerFiles.texts(
      added: added.map(\.0), first: imageID, pad: "<pad>", keepsBlanks: true)
    texts["tokenizer.model"] = tokenizer.model
    texts["tokenizer.json"] = TokenizerFiles.bytes(tokenizer.json(added: added))
    texts["preprocessor_config.json"] = TokenizerFiles.bytes(preprocessor)
    texts["generation_config.json"] = TokenizerFiles.bytes([
      "_from_model_config": true, "bos_token_id": 1, "eos_token_id": 2,
      "pad_token_id": .int(imageID + 1), "transformers_version": "4.36.0",
    ])
    let words = [":", "▁The", "▁aesthetic", "▁rate", "▁of", "▁the", "▁image", "▁is", "▁"]
    return RandomRecipe(
      config: config(imageID: imageID, scoreID: scoreID, rows: rows, request), texts: texts,
      sentence: tokenizer.ids(words) + [scoreID] + tokenizer.ids(["▁."]) + [2],
      finalNorm: "language_model.model.norm.weight")
  }

  private func config(
    imageID: Int, scoreID: Int, rows: Int, _ request: RandomRequest
  ) -> JSON {
    let text: JSON = [
      "architectures": ["LlamaForCausalLM"], "hidden_size": .int(width),
      "intermediate_size": .int(feedForward), "max_position_embeddings": 4096,
      "model_type": "llama", "num_attention_heads": .int(heads), "num_hidden_layers": .int(layers),
      "num_key_value_heads": .int(heads), "rms_norm_eps": 1e-5,
      "torch_dtype": .string(request.dtype), "vocab_size": .int(rows),
    ]
    let vision: JSON = [
      "hidden_size": .int(visionWidth), "image_size": .int(edge),
      "intermediate_size": .int(visionFeedForward), "model_type": "clip_vision_model",
      "num_attention_heads": .int(visionHeads), "num_hidden_layers": .int(visionLayers),
      "patch_size": 14, "projection_dim": 768,
    ]
    let members: [JSON.Member] = [
      .init("architectures", ["LlavaForConditionalGeneration"]), .init("ignore_index", -100),
      .init("image_token_index", .int(imageID)), .init("model_type", "llava"),
      .init("pad_token_id", .int(imageID + 1)), .init("projector_hidden_act", "gelu"),
      .init("text_config", text), .init("tie_word_embeddings", false),
      .init("torch_dtype", .string(request.dtype)), .init("transformers_version", "4.36.0"),
      .init("vision_config", vision), .init("vision_feature_layer", -2),
      .init("vision_feature_select_strategy", "default"), .init("vocab_size", .int(rows)),
    ]
    return .object(members + RandomRecipe.scoreKeys(request, scoreID: scoreID))
  }

  private var preprocessor: JSON {
    [
      "crop_size": ["height": .int(edge), "width": .int(edge)], "do_center_crop": true,
      "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
      "image_mean": [0.48145466, 0.4578275, 0.40821073],
      "image_processor_type": "CLIPImageProcessor",
      "image_std": [0.26862954, 0.26130258, 0.27577711], "processor_class": "LlavaProcessor",
      "resample": 3, "rescale_factor": 0.00392156862745098,
      "size": ["shortest_edge": .int(edge)],
    ]
  }
}
