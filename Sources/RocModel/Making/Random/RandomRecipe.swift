import RocCheckpoint
import RocJSON

/// What a random checkpoint of a backbone consists of, except the weights its network asks for.
struct RandomRecipe {
  /// config.json.
  let config: JSON
  /// The other files by name.
  let texts: [String: [UInt8]]
  /// The last token of the prompt, and the tokens of the answer to its end; each once.
  let sentence: [Int]
  /// The norm after the last layer of the language model.
  let finalNorm: String
  /// Tensors that files of this kind have but no network here reads: those before the network's,
  /// and those after them.
  var leading: [TensorPlan] = []
  var trailing: [TensorPlan] = []

  /// ROC4MLLM's keys of config.json for score tokens that follow `scoreID`.
  static func scoreKeys(_ request: RandomRequest, scoreID: Int) -> [JSON.Member] {
    [
      .init("img_token_num", .int(request.tokens)), .init("max_score", JSON(number: request.high)),
      .init("min_score", JSON(number: request.low)), .init("num_tokens", .int(request.tokens)),
      .init("output_first_id", .int(scoreID + 1)),
      .init("output_last_id", .int(scoreID + request.tokens)), .init("score_id", .int(scoreID)),
    ]
  }

  /// Words that the prompts and answers of this field are made of.
  static let words = [
    "The", "aesthetic", "rate", "of", "the", "image", "is", ".", "A", "chat", "between", "a",
    "curious", "user", "and", "an", "artificial", "intelligence", "assistant", "gives", "helpful",
    "detailed", "polite", "answers", "to", "user's", "questions", "USER", "ASSISTANT", "Please",
    "aesthetics", "quality", "color", "content", "composition", "light", "How", "would", "you",
    "this", "excellent", "good", "fair", "poor", "bad",
  ]
}
