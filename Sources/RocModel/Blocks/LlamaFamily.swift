/// Values for what the configuration of a LLaMA-like decoder leaves out, and what its network adds.
struct LlamaFamily: Sendable {
  /// Sizes that transformers takes where a configuration states none.
  struct Sizes: Sendable {
    let width: Int
    let layers: Int
    let heads: Int
    /// Nil for as many as heads.
    let keyHeads: Int?
    let feedForward: Int
    let vocabulary: Int
  }

  /// Nil where every size must be stated.
  var defaults: Sizes?
  var epsilon = 1e-6
  var theta = 10_000.0
  var maxPositions = 2048
  /// Whether queries, keys and values have biases.
  var hasProjectionBias = false
  /// Whether rows of pictures have positions on several axes.
  var hasSections = false
  /// Whether a `sliding_window` counts unless `use_sliding_window` says that it does not.
  var slidesUnlessTold = true

  static let owl2 = LlamaFamily()

  /// `LlamaConfig` of https://huggingface.co/docs/transformers/model_doc/llama.
  static let llama = LlamaFamily(
    defaults: Sizes(
      width: 4096, layers: 32, heads: 32, keyHeads: nil, feedForward: 11008, vocabulary: 32_000))

  /// `Qwen2VLConfig` of https://huggingface.co/docs/transformers/model_doc/qwen2_vl.
  static let qwen2 = LlamaFamily(
    defaults: Sizes(
      width: 8192, layers: 80, heads: 64, keyHeads: 8, feedForward: 29_568, vocabulary: 152_064),
    epsilon: 1e-5, theta: 1e6, maxPositions: 32_768, hasProjectionBias: true, hasSections: true,
    slidesUnlessTold: false)
}
