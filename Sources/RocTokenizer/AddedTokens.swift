/// Tokens that cut the text before sentencepiece sees it, and the blanks they swallow.
struct AddedTokens: Sendable {
  /// Whether a token swallows the blanks on its sides.
  struct Strip: Sendable, Equatable {
    var left = true
    var right = true
  }

  /// A stretch of text between added tokens, or one of them.
  enum Part: Equatable {
    case text(String)
    case token(String)
  }

  /// Texts that cut, longest first.
  private let atoms: [[UInt8]]
  private let strips: [[UInt8]: Strip]

  /// - Parameters:
  ///   - atoms: The added and special tokens.
  ///   - strips: Those that do not swallow blanks on both sides.
  init(atoms: Set<[UInt8]>, strips: [[UInt8]: Strip]) {
    self.atoms = atoms.filter { !$0.isEmpty }
      .sorted { $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1) }
    self.strips = strips
  }

  /// Cuts at the leftmost, longest token, then strips the neighbours.
  func split(_ text: String) -> [Part] {
    var parts = cut(text)
    for i in parts.indices {
      guard case .token(let token) = parts[i] else { continue }
      let strip = strips[Array(token.utf8)] ?? Strip()
      if strip.right, i + 1 < parts.count, case .text(let next) = parts[i + 1] {
        parts[i + 1] = .text(String(next.unicodeScalars.drop(while: isPythonSpace)))
      }
      if strip.left, i > 0, case .text(let before) = parts[i - 1] {
        let kept = before.unicodeScalars.reversed().drop(while: isPythonSpace).reversed()
        var stripped = String.UnicodeScalarView()
        stripped.append(contentsOf: kept)
        parts[i - 1] = .text(String(stripped))
      }
    }
    return parts.filter { $0 != .text("") }
  }

  private func cut(_ text: String) -> [Part] {
    let bytes = Array(text.utf8)
    var parts: [Part] = []
    var start = 0
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...]
      guard let atom = atoms.first(where: { rest.starts(with: $0) }) else {
        position += 1
        continue
      }
      if start < position {
        parts.append(.text(String(decoding: bytes[start..<position], as: UTF8.self)))
      }
      parts.append(.token(String(decoding: atom, as: UTF8.self)))
      position += atom.count
      start = position
    }
    if start < bytes.count {
      parts.append(.text(String(decoding: bytes[start...], as: UTF8.self)))
    }
    return parts
  }
}

/// What Python's `str.strip` removes.
package func isPythonSpace(_ scalar: UnicodeScalar) -> Bool {
  switch scalar.value {
  case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
    0x205F, 0x3000:
    true
  default: false
  }
}
