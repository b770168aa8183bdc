import RocJSON

/// The JSON files beside a tokenizer model, as transformers 4.31 writes them for LLaMA.
enum TokenizerFiles {
  /// - Parameters:
  ///   - added: Added tokens in the order of their ids.
  ///   - first: The id of the first one.
  ///   - pad: What batches are padded with.
  ///   - keepsBlanks: Added tokens leave the blanks beside them alone, as from transformers 4.34 on.
  /// - Returns: Contents by file name.
  static func texts(
    added: [String], first: Int, pad: String = "<unk>", keepsBlanks: Bool = false
  ) -> [String: [UInt8]] {
    let special: JSON = [
      "bos_token": token("<s>"), "eos_token": token("</s>"), "pad_token": .string(pad),
      "unk_token": token("<unk>"),
    ]
    var settings: [JSON.Member] = [
      .init("add_bos_token", true), .init("add_eos_token", false),
      .init("clean_up_tokenization_spaces", false), .init("model_max_length", 2048),
      .init("padding_side", "right"), .init("tokenizer_class", "LlamaTokenizer"),
      .init("bos_token", token("<s>", typed: true)),
      .init("eos_token", token("</s>", typed: true)),
      .init("unk_token", token("<unk>", typed: true)),
    ]
    if keepsBlanks {
      let all =
        ["<unk>", "<s>", "</s>"].enumerated().map { ($0, $1) }
        + added.enumerated().map { (first + $0, $1) }
      settings.append(
        .init("added_tokens_decoder", .object(all.map { .init(String($0), decoded($1)) })))
    }
    return [
      "special_tokens_map.json": bytes(special),
      "tokenizer_config.json": bytes(.object(settings)),
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

  /// A token of `added_tokens_decoder`; those of scores stay in decoded text.
  static func decoded(_ text: String) -> JSON {
    [
      "content": .string(text), "lstrip": false, "normalized": false, "rstrip": false,
      "single_word": false, "special": .bool(!text.hasPrefix("[")),
    ]
  }

  private static func token(_ text: String, typed: Bool = false) -> JSON {
    var members: [JSON.Member] = typed ? [.init("__type", "AddedToken")] : []
    members += [
      .init("content", .string(text)), .init("lstrip", false), .init("normalized", true),
      .init("rstrip", false), .init("single_word", false),
    ]
    return .object(members)
  }
}
