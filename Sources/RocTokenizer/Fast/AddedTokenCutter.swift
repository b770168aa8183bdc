/// Finds added tokens in text: the leftmost first, of those that begin there the longest.
struct AddedTokenCutter: Sendable {
  /// A stretch of text between tokens, or one of them.
  enum Part {
    case text(ArraySlice<Unicode.Scalar>)
    case token(AddedToken)
  }

  /// A place in the tree of all texts.
  private struct Node: Sendable {
    var next: [Unicode.Scalar: Int] = [:]
    /// The token whose text ends here.
    var token: AddedToken?
  }

  private var nodes = [Node()]

  /// - Parameter tokens: With the texts to look for; the first of equal texts counts.
  init(_ tokens: [(text: [Unicode.Scalar], token: AddedToken)]) {
    for (text, token) in tokens where !text.isEmpty {
      var node = 0
      for scalar in text {
        if let next = nodes[node].next[scalar] {
          node = next
        } else {
          nodes.append(Node())
          nodes[node].next[scalar] = nodes.count - 1
          node = nodes.count - 1
        }
      }
      if nodes[node].token == nil { nodes[node].token = token }
    }
  }

  /// Cuts text; the blanks that a token swallows go with it.
  func cut(_ text: [Unicode.Scalar]) -> [Part] {
    guard nodes.count > 1 else { return text.isEmpty ? [] : [.text(text[...])] }
    var parts: [Part] = []
    var done = 0
    var position = 0
    while position < text.count {
      guard let (token, matchEnd) = longest(in: text, at: position) else {
        position += 1
        continue
      }
      var start = position
      var end = matchEnd
      // Where a token is not taken since it is not a word of its own, none is looked for inside it.
      position = matchEnd
      if token.isSingleWord,
        start > 0 && Self.isWordPart(text[start - 1])
          || end < text.count && Self.isWordPart(text[end])
      {
        continue
      }
      if token.stripsLeft {
        while start > done, text[start - 1].properties.isWhitespace { start -= 1 }
        start = max(start, done)
      }
      if token.stripsRight {
        while end < text.count, text[end].properties.isWhitespace { end += 1 }
      }
      // The token before may have swallowed all of this one, if it is a blank.
      guard start < end else { continue }
      if done < start { parts.append(.text(text[done..<start])) }
      parts.append(.token(token))
      done = end
    }
    if done < text.count { parts.append(.text(text[done...])) }
    return parts
  }

  private func longest(
    in text: [Unicode.Scalar], at start: Int
  ) -> (token: AddedToken, end: Int)? {
    var found: (AddedToken, Int)?
    var node = 0
    var position = start
    while position < text.count, let next = nodes[node].next[text[position]] {
      node = next
      position += 1
      if let token = nodes[node].token { found = (token, position) }
    }
    return found
  }

  /// What regular expressions call `\w`, in all scripts.
  private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    return switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    default: properties.isAlphabetic || properties.isJoinControl
    }
  }
}
