package import RocJSON

extension GeneratedTokenizer {
  /// tokenizer.json of the same pieces, as transformers writes it for LLaMA.
  ///
  /// - Parameter added: Tokens that follow the pieces, in order; those that are special are left out
  ///   of decoded text.
  /// - Returns: The object.
  package func json(added: [(text: String, isSpecial: Bool)]) -> JSON {
    let special = ["<unk>", "<s>", "</s>"]
    var tokens = special.enumerated().map { Self.added($0, $1, isSpecial: true) }
    tokens += added.enumerated().map {
      Self.added(pieces.count + $0, $1.text, isSpecial: $1.isSpecial)
    }
    let blank = "\u{2581}"
    let begin: JSON = ["SpecialToken": ["id": "<s>", "type_id": 0]]
    return [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(tokens),
      "normalizer": [
        "type": "Sequence",
        "normalizers": [
          ["type": "Prepend", "prepend": .string(blank)],
          ["type": "Replace", "pattern": ["String": " "], "content": .string(blank)],
        ],
      ],
      "pre_tokenizer": .null,
      "post_processor": [
        "type": "TemplateProcessing",
        "single": [begin, ["Sequence": ["id": "A", "type_id": 0]]],
        "pair": [
          begin, ["Sequence": ["id": "A", "type_id": 0]],
          ["SpecialToken": ["id": "<s>", "type_id": 1]], ["Sequence": ["id": "B", "type_id": 1]],
        ],
        "special_tokens": ["<s>": ["id": "<s>", "ids": [1], "tokens": ["<s>"]]],
      ],
      "decoder": [
        "type": "Sequence",
        "decoders": [
          ["type": "Replace", "pattern": ["String": .string(blank)], "content": " "],
          ["type": "ByteFallback"], ["type": "Fuse"],
          ["type": "Strip", "content": " ", "start": 1, "stop": 0],
        ],
      ],
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": "<unk>", "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": true, "byte_fallback": true,
        "ignore_merges": false,
        "vocab": .object(pieces.enumerated().map { JSON.Member($1.text, .int($0)) }),
        "merges": .array(merges.map { .string($0) }),
      ],
    ]
  }

  /// Every piece of several characters merges its beginning and its last character.
  private var merges: [String] {
    pieces.compactMap { piece in
      let scalars = Array(piece.text.unicodeScalars)
      guard piece.kind == .normal, scalars.count > 1, let last = scalars.last else { return nil }
      var start = String.UnicodeScalarView()
      start.append(contentsOf: scalars.dropLast())
      return "\(String(start)) \(last)"
    }
  }

  static func added(_ id: Int, _ text: String, isSpecial: Bool) -> JSON {
    [
      "id": .int(id), "content": .string(text), "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": false, "special": .bool(isSpecial),
    ]
  }
}
