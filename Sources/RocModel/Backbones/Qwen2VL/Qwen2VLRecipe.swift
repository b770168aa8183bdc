import RocJSON
import RocTokenizer

/// Sizes of a random Qwen2-VL, and the files of its checkpoint.
struct Qwen2VLRecipe: Sendable {
  let width: Int
  let heads: Int
  let keyHeads: Int
  let layers: Int
  let feedForward: Int
  let sections: [Int]
  let visionWidth: Int
  let visionHeads: Int
  let visionLayers: Int
  /// Pieces of the tokenizer; nil for as few as will do.
  let pieces: Int?
  /// Rows of embeddings and head; nil for the next multiple of 64.
  let rows: Int?
  let isTied: Bool
  /// Of a picture.
  let mostPixels: Int

  static let tiny = Qwen2VLRecipe(
    width: 64, heads: 4, keyHeads: 2, layers: 2, feedForward: 176, sections: [2, 3, 3],
    visionWidth: 48, visionHeads: 4, visionLayers: 2, pieces: nil, rows: nil, isTied: false,
    mostPixels: 12_544)
  static let tinyTied = Qwen2VLRecipe(
    width: 64, heads: 4, keyHeads: 1, layers: 2, feedForward: 176, sections: [4, 2, 2],
    visionWidth: 48, visionHeads: 4, visionLayers: 2, pieces: nil, rows: nil, isTied: true,
    mostPixels: 12_544)
  static let twoB = Qwen2VLRecipe(
    width: 1536, heads: 12, keyHeads: 2, layers: 28, feedForward: 8960, sections: [16, 24, 24],
    visionWidth: 1280, visionHeads: 16, visionLayers: 32, pieces: 151_643, rows: 151_936,
    isTied: true, mostPixels: 12_845_056)
  static let sevenB = Qwen2VLRecipe(
    width: 3584, heads: 28, keyHeads: 4, layers: 28, feedForward: 18_944, sections: [16, 24, 24],
    visionWidth: 1280, visionHeads: 16, visionLayers: 32, pieces: 151_643, rows: 152_064,
    isTied: false, mostPixels: 12_845_056)

  /// The special tokens of Qwen2-VL in the order of their ids.
  private static let special = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
    "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>",
    "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
  ]

  func recipe(_ request: RandomRequest) throws(TokenizerError) -> RandomRecipe {
    let tokenizer = try GeneratedByteTokenizer(
      words: RandomRecipe.words + ["system", "user", "assistant", "You", "are"], count: pieces)
    let first = tokenizer.pieces.count
    let scoreID = first + Self.special.count
    let scores = TokenizerFiles.scoreTokens(request.tokens)
    let added = Self.special.map { ($0, true) } + scores.map { ($0, false) }
    let rows = rows ?? (scoreID + 1 + request.tokens + 63) / 64 * 64
    guard scoreID + request.tokens < rows else {
      throw TokenizerError(
        "\(request.tokens) score tokens do not fit beside \(scoreID) tokens in \(rows) rows")
    }
    let end = first + 2
    let words = ["\n", "The", " aesthetic", " rate", " of", " the", " image", " is", " "]
    let sentence =
      isTied
      ? tokenizer.ids(["\n"]) + [scoreID, end]
      : tokenizer.ids(words) + [scoreID] + tokenizer.ids(["."]) + [end]
    return RandomRecipe(
      config: config(first: first, scoreID: scoreID, rows: rows, request),
      texts: [
        "tokenizer.json": TokenizerFiles.bytes(tokenizer.json(added: added)),
        "tokenizer_config.json": TokenizerFiles.bytes([
          "add_prefix_space": false, "clean_up_tokenization_spaces": false,
          "eos_token": "<|im_end|>", "errors": "replace", "model_max_length": 32768,
          "pad_token": "<|endoftext|>", "split_special_tokens": false,
          "tokenizer_class": "Qwen2Tokenizer", "unk_token": .null, "bos_token": .null,
        ]),
        "added_tokens.json": TokenizerFiles.addedTokens(added.map(\.0), first: first),
        "preprocessor_config.json": TokenizerFiles.bytes(preprocessor),
        "generation_config.json": TokenizerFiles.bytes([
          "bos_token_id": .int(first), "do_sample": true,
          "eos_token_id": [.int(end), .int(first)], "pad_token_id": .int(first),
          "temperature": 0.01, "top_k": 1, "top_p": 0.001, "transformers_version": "4.41.2",
        ]),
      ], sentence: sentence, finalNorm: "model.norm.weight")
  }

  private func config(first: Int, scoreID: Int, rows: Int, _ request: RandomRequest) -> JSON {
    let vision: JSON = [
      "depth": .int(visionLayers), "embed_dim": .int(visionWidth), "hidden_size": .int(width),
      "in_chans": 3, "mlp_ratio": 4, "num_heads": .int(visionHeads), "patch_size": 14,
      "spatial_merge_size": 2, "spatial_patch_size": 14, "temporal_patch_size": 2,
    ]
    let members: [JSON.Member] = [
      .init("architectures", ["Qwen2VLForConditionalGeneration"]),
      .init("attention_dropout", 0.0), .init("bos_token_id", .int(first)),
      .init("eos_token_id", .int(first + 2)), .init("hidden_act", "silu"),
      .init("hidden_size", .int(width)), .init("image_token_id", .int(first + 12)),
      .init("intermediate_size", .int(feedForward)), .init("max_position_embeddings", 32768),
      .init("model_type", "qwen2_vl"), .init("num_attention_heads", .int(heads)),
      .init("num_hidden_layers", .int(layers)), .init("num_key_value_heads", .int(keyHeads)),
      .init("rms_norm_eps", 1e-6),
      .init(
        "rope_scaling",
        ["type": "mrope", "mrope_section": .array(sections.map { .int($0) })]),
      .init("rope_theta", 1_000_000.0), .init("tie_word_embeddings", .bool(isTied)),
      .init("torch_dtype", .string(request.dtype)), .init("transformers_version", "4.41.2"),
      .init("use_sliding_window", false), .init("video_token_id", .int(first + 13)),
      .init("vision_config", vision), .init("vision_end_token_id", .int(first + 10)),
      .init("vision_start_token_id", .int(first + 9)), .init("vocab_size", .int(rows)),
    ]
    return .object(members + RandomRecipe.scoreKeys(request, scoreID: scoreID))
  }

  private var preprocessor: JSON {
    [
      "image_mean": [0.48145466, 0.4578275, 0.40821073],
      "image_processor_type": "Qwen2VLImageProcessor",
      "image_std": [0.26862954, 0.26130258, 0.27577711], "max_pixels": .int(mostPixels),
      "merge_size": 2, "min_pixels": 3136, "patch_size": 14,
      "processor_class": "Qwen2VLProcessor", "temporal_patch_size": 2,
    ]
  }
}
