/// A LLaMA tokenizer made up for generated models: special pieces, 256 bytes, the printable
/// characters, the given words with every beginning of them, and fillers.
///
/// Pieces merge in the order of the vocabulary, so a word is one piece wherever it stands: its
/// beginnings are merged one after the other before any filler.
package struct GeneratedTokenizer: Sendable {
  /// In the order of their ids.
  package let pieces: [SentencePieceModel.Piece]

  /// - Parameters:
  ///   - words: Become single pieces, with the blank before them.
  ///   - count: Pieces in all; nil for as many as the words need.
  /// - Throws: `TokenizerError` when the words need more.
  package init(words: [String], count: Int? = nil) throws(TokenizerError) {
    var pieces: [SentencePieceModel.Piece] = []
    var known: Set<String> = []
    func add(_ text: String, _ kind: SentencePieceModel.Kind = .normal) {
      guard known.insert(text).inserted else { return }
      // LLaMA's scores: the rank of the merge, negative; 0 for what does not merge.
      let score = kind == .normal ? -Float(pieces.count - 259) : 0
      pieces.append(SentencePieceModel.Piece(text: text, score: score, kind: kind))
    }
    add("<unk>", .unknown)
    add("<s>", .control)
    add("</s>", .control)
    for byte in 0..<256 {
      let digits = String(byte, radix: 16, uppercase: true)
      add("<0x\(digits.count < 2 ? "0" : "")\(digits)>", .byte)
    }
    for word in words {
      var text = "\u{2581}"
      for character in word {
        text.append(character)
        add(text)
      }
    }
    add("\u{2581}")
    for character in 33..<127 { add(String(UnicodeScalar(UInt8(character)))) }
    let count = count ?? pieces.count
    guard pieces.count <= count else {
      throw TokenizerError("\(words.count) words need \(pieces.count) pieces, more than \(count)")
    }
    var length = 2
    while pieces.count < count {
      for text in Self.letters(length) where pieces.count < count { add(text) }
      length += 1
    }
    self.pieces = pieces
  }

  /// All strings of that many lower-case letters, in order.
  private static func letters(_ length: Int) -> [String] {
    var texts = [""]
    for _ in 0..<length {
      texts = texts.flatMap { text in (97..<123).map { text + String(UnicodeScalar(UInt8($0))) } }
    }
    return texts
  }

  /// The ids of pieces; those that are not there are left out.
  package func ids(_ texts: [String]) -> [Int] {
    let ids = Dictionary(
      pieces.enumerated().map { (Array($1.text.utf8), $0) }, uniquingKeysWith: { first, _ in first }
    )
    return texts.compactMap { ids[Array($0.utf8)] }
  }

  /// The sentencepiece model file, a protocol buffer.
  package var model: [UInt8] {
    var bytes: [UInt8] = []
    for piece in pieces {
      var entry: [UInt8] = []
      Self.append(1, Array(piece.text.utf8), to: &entry)
      entry.append(2 << 3 | 5)
      withUnsafeBytes(of: piece.score.bitPattern.littleEndian) { entry.append(contentsOf: $0) }
      Self.append(3, piece.kind.rawValue, to: &entry)
      Self.append(1, entry, to: &bytes)
    }
    var trainer: [UInt8] = []
    Self.append(3, 2, to: &trainer)  // BPE
    Self.append(4, pieces.count, to: &trainer)
    Self.append(35, 1, to: &trainer)  // byte_fallback
    Self.append(40, 0, to: &trainer)  // unk_id
    Self.append(41, 1, to: &trainer)  // bos_id
    Self.append(42, 2, to: &trainer)  // eos_id
    Self.append(2, trainer, to: &bytes)
    var normalizer: [UInt8] = []
    Self.append(1, Array("identity".utf8), to: &normalizer)
    Self.append(3, 1, to: &normalizer)  // add_dummy_prefix
    Self.append(4, 0, to: &normalizer)  // remove_extra_whitespaces
    Self.append(5, 1, to: &normalizer)  // escape_whitespaces
    Self.append(3, normalizer, to: &bytes)
    return bytes
  }

  private static func append(_ number: Int, _ value: Int, to bytes: inout [UInt8]) {
    append(varint: number << 3, to: &bytes)
    append(varint: value, to: &bytes)
  }

  private static func append(_ number: Int, _ value: [UInt8], to bytes: inout [UInt8]) {
    append(varint: number << 3 | 2, to: &bytes)
    append(varint: value.count, to: &bytes)
    bytes += value
  }

  private static func append(varint value: Int, to bytes: inout [UInt8]) {
    var rest = UInt64(value)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
