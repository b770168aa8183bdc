import RocJSON

/// The JSON files beside a tokenizer model, as transformers 4.31 writes them for LLaMA.
enum TokenizerFiles {
  /// - Parameters:
  ///   - added: Added tokens by their ids' order.
  ///   - first: The id of the first one.
  /// - Returns: Contents by file name.
  static func texts(added: [String], first: Int) -> [String: [UInt8]] {
    let special: JSON = [
      "bos_token": token("<s>"), "eos_token": token("</s>"), "pad_token": "<unk>",
      "unk_token": token("<unk>"),
    ]
    let settings: JSON = [
      "add_bos_token": true, "add_eos_token": false, "clean_up_tokenization_spaces": false,
      "model_max_length": 2048, "padding_side": "right", "tokenizer_class": "LlamaTokenizer",
      "bos_token": token("<s>", typed: true), "eos_token": token("</s>", typed: true),
      "unk_token": token("<unk>", typed: true),
    ]
    return [
      "special_tokens_map.json": bytes(special), "tokenizer_config.json": bytes(settings),
      "added_tokens.json": addedTokens(added, first: first),
    ]
  }

  /// added_tokens.json.
  static func addedTokens(_ added: [String], first: Int) -> [UInt8] {
    bytes(.object(added.enumerated().map { JSON.Member($1, .int(first + $0)) }))
  }

  /// `[SCORE]` and the names of the score tokens.
  static func scoreTokens(_ count: Int) -> [String] {
    ["[SCORE]"] + (0..<count).map { "[IMG\($0)]" }
  }

  static func bytes(_ json: JSON) -> [UInt8] { Array((json.pretty + "\n").utf8) }

  private static func token(_ text: String, typed: Bool = false) -> JSON {
    var members: [JSON.Member] = typed ? [.init("__type", "AddedToken")] : []
    members += [
      .init("content", .string(text)), .init("lstrip", false), .init("normalized", true),
      .init("rstrip", false), .init("single_word", false),
    ]
    return .object(members)
  }
}
