import RocJSON

/// How pieces spell text, and how they are read back.
enum PieceSpelling: Sendable {
  /// Each letter is a byte of the text's UTF-8.
  case byteLetters
  /// Letters are the text's own, blanks are marks, and `<0x0A>` is a byte.
  case marks

  /// - Parameter field: `decoder` of `tokenizer.json`.
  /// - Throws: `TokenizerError` naming what is not known.
  init(_ field: JSONField) throws(TokenizerError) {
    switch try field["type"].text() {
    case "ByteLevel":
      // The options concern the other direction.
      try field.expect(onlyKeys: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
      self = .byteLetters
    case "Sequence":
      try field.expect([
        "type": "Sequence",
        "decoders": [
          ["type": "Replace", "pattern": ["String": "\u{2581}"], "content": " "],
          ["type": "ByteFallback"],
          ["type": "Fuse"],
          ["type": "Strip", "content": " ", "start": 1, "stop": 0],
        ],
      ])
      self = .marks
    default: throw field["type"].refusal("ByteLevel, or LLaMA's Sequence")
    }
  }

  /// The text of pieces; bytes that are not UTF-8 become U+FFFD.
  func text(of pieces: [String]) -> String {
    switch self {
    case .byteLetters:
      // Characters may be cut between pieces, so all bytes are joined before they are read.
      let bytes = pieces.flatMap { ByteLetters.read($0) ?? Array($0.utf8) }
      return String(decoding: bytes, as: UTF8.self)
    case .marks: return Self.unmarked(pieces)
    }
  }

  private static func unmarked(_ pieces: [String]) -> String {
    // Bytes, since adding scalars to a string piece by piece would move it each time.
    var text: [UInt8] = []
    var bytes: [UInt8] = []
    func flush() {
      // A run of bytes is text as a whole or not at all.
      if String(validating: bytes, as: UTF8.self) != nil {
        text += bytes
      } else {
        for _ in bytes { text += "\u{FFFD}".utf8 }
      }
      bytes.removeAll()
    }
    for piece in pieces {
      if let byte = byte(Array(piece.utf8)) {
        bytes.append(byte)
        continue
      }
      if !bytes.isEmpty { flush() }
      for scalar in piece.unicodeScalars {
        text += UTF8.encode(scalar == TextNormalizer.mark ? " " : scalar) ?? .init()
      }
    }
    flush()
    return String(
      decoding: text.first == UInt8(ascii: " ") ? text.dropFirst() : text[...], as: UTF8.self)
  }

  /// The byte that a piece like `<0x0A>` stands for.
  private static func byte(_ piece: [UInt8]) -> UInt8? {
    guard piece.count == 6, piece.starts(with: "<0x".utf8), piece[5] == UInt8(ascii: ">"),
      piece[3] != UInt8(ascii: "-")
    else { return nil }
    return UInt8(String(decoding: piece[3..<5], as: UTF8.self), radix: 16)
  }
}
