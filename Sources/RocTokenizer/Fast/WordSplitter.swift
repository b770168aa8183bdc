/// Cuts text into words as Qwen's pattern does, scalar by scalar.
enum WordSplitter {
  /// What is written in `tokenizer.json`; another pattern cuts in other places.
  static let pattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"#
    + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private enum Kind {
    /// `\p{L}`
    case letter
    /// `\p{N}`
    case number
    /// `[\r\n]`
    case lineEnd
    /// `\s` except line ends
    case blank
    case other

    var isSpace: Bool { self == .lineEnd || self == .blank }

    init(_ scalar: Unicode.Scalar) {
      switch scalar.value {
      case 0x41...0x5A, 0x61...0x7A: self = .letter
      case 0x30...0x39: self = .number
      case 0x0A, 0x0D: self = .lineEnd
      case 0x09, 0x0B, 0x0C, 0x20: self = .blank
      case 0..<0x80: self = .other
      default:
        let properties = scalar.properties
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
          self = .letter
        case .decimalNumber, .letterNumber, .otherNumber: self = .number
        default: self = properties.isWhitespace ? .blank : .other
        }
      }
    }
  }

  /// The words of a text, one after the other; they cover all of it.
  static func words(_ text: [Unicode.Scalar]) -> [Range<Int>] {
    let kinds = text.map(Kind.init)
    var words: [Range<Int>] = []
    var start = 0
    while start < text.count {
      let end = contraction(text, start) ?? end(kinds, start, isBlank: text[start] == " ")
      words.append(start..<end)
      start = end
    }
    return words
  }

  // (?i:'s|'t|'re|'ve|'m|'ll|'d)
  private static func contraction(_ text: [Unicode.Scalar], _ start: Int) -> Int? {
    guard text[start] == "'", start + 1 < text.count else { return nil }
    switch (text[start + 1], start + 2 < text.count ? text[start + 2] : " ") {
    // U+017F is a lower-case s, too, where case does not matter.
    case ("s", _), ("S", _), ("\u{17F}", _), ("t", _), ("T", _), ("m", _), ("M", _), ("d", _),
      ("D", _):
      return start + 2
    case ("r", "e"), ("r", "E"), ("R", "e"), ("R", "E"), ("v", "e"), ("v", "E"), ("V", "e"),
      ("V", "E"), ("l", "l"), ("l", "L"), ("L", "l"), ("L", "L"):
      return start + 3
    default: return nil
    }
  }

  /// Where the word that begins at `start` ends, by the alternatives after the first.
  private static func end(_ kinds: [Kind], _ start: Int, isBlank: Bool) -> Int {
    let next = start + 1 < kinds.count ? kinds[start + 1] : nil
    switch kinds[start] {
    case .letter: return run(kinds, start) { $0 == .letter }
    case .number: return start + 1
    case .blank where next == .letter, .other where next == .letter:
      return run(kinds, start + 1) { $0 == .letter }
    case .other: return marks(kinds, start)
    case .blank where isBlank && next == .other: return marks(kinds, start + 1)
    case .blank, .lineEnd: return spaces(kinds, start)
    }
  }

  // [^\s\p{L}\p{N}]+[\r\n]*
  private static func marks(_ kinds: [Kind], _ start: Int) -> Int {
    run(kinds, run(kinds, start) { $0 == .other }) { $0 == .lineEnd }
  }

  // \s*[\r\n]+|\s+(?!\S)|\s+ is: up to the last line end, or all but the blank before a word.
  private static func spaces(_ kinds: [Kind], _ start: Int) -> Int {
    let end = run(kinds, start, while: \.isSpace)
    if let last = kinds[start..<end].lastIndex(of: .lineEnd) { return last + 1 }
    return end < kinds.count && end - start > 1 ? end - 1 : end
  }

  private static func run(
    _ kinds: [Kind], _ start: Int, while belongs: (Kind) -> Bool
  ) -> Int {
    var end = start
    while end < kinds.count, belongs(kinds[end]) { end += 1 }
    return end
  }
}
