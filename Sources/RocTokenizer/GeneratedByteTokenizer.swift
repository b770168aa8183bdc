package import RocJSON

/// A Qwen2 tokenizer made up for generated models: a token for each byte, the given words with every
/// beginning of them, with and without the blank before, and fillers that no text becomes.
package struct GeneratedByteTokenizer: Sendable {
  /// In the order of their ids, in GPT-2's letters for bytes.
  package let pieces: [String]
  private let merges: [String]

  /// - Parameters:
  ///   - words: Become single pieces.
  ///   - count: Pieces in all; nil for as many as the words need.
  /// - Throws: `TokenizerError` when the words need more.
  package init(words: [String], count: Int? = nil) throws(TokenizerError) {
    var pieces = (0..<256).map { Self.letter(UInt8($0)) }
    var known = Set(pieces)
    var merges: [String] = []
    for word in words.flatMap({ [" \($0)", $0] }) {
      var text = ""
      for byte in word.utf8 {
        let letter = Self.letter(byte)
        if !text.isEmpty, known.insert(text + letter).inserted {
          pieces.append(text + letter)
          merges.append("\(text) \(letter)")
        }
        text += letter
      }
    }
    let count = count ?? pieces.count
    guard pieces.count <= count else {
      throw TokenizerError("\(words.count) words need \(pieces.count) pieces, more than \(count)")
    }
    pieces += (pieces.count..<count).map { "\u{0120}filler\($0)" }
    self.pieces = pieces
    self.merges = merges
  }

  private static func letter(_ byte: UInt8) -> String { String(ByteLetters.letters[Int(byte)]) }

  /// The ids of texts that are one piece; others are left out.
  package func ids(_ texts: [String]) -> [Int] {
    let ids = Dictionary(
      pieces.enumerated().map { (Array($1.utf8), $0) }, uniquingKeysWith: { first, _ in first })
    return texts.compactMap { text in
      ids[Array(text.utf8.map { Self.letter($0) }.joined().utf8)]
    }
  }

  /// tokenizer.json, as transformers writes it for Qwen2.
  ///
  /// - Parameter added: Tokens that follow the pieces, in order.
  /// - Returns: The object.
  package func json(added: [(text: String, isSpecial: Bool)]) -> JSON {
    let bytes: JSON = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false,
    ]
    return [
      "version": "1.0", "truncation": .null, "padding": .null,
      "added_tokens": .array(
        added.enumerated().map {
          GeneratedTokenizer.added(pieces.count + $0, $1.text, isSpecial: $1.isSpecial)
        }),
      "normalizer": ["type": "NFC"],
      "pre_tokenizer": [
        "type": "Sequence",
        "pretokenizers": [
          [
            "type": "Split", "pattern": ["Regex": .string(WordSplitter.pattern)],
            "behavior": "Isolated", "invert": false,
          ], bytes,
        ],
      ],
      "post_processor": bytes, "decoder": bytes,
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": "",
        "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": false,
        "vocab": .object(pieces.enumerated().map { JSON.Member($1, .int($0)) }),
        "merges": .array(merges.map { .string($0) }),
      ],
    ]
  }
}
