import RocNames

/// Which of a picture's comments an export uses.
package enum CommentRule: String, Sendable, CaseIterable {
  case first
  case longest
  case shortest

  /// The chosen comment on one line; nil when none can be said.
  func choose(_ comments: [String]) -> String? {
    let usable = comments.map { text in
      text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }.filter { text in
      !text.isEmpty && ConversationExport.reserved.allSatisfy { !" \(text) ".containsBytes(of: $0) }
    }
    switch self {
    case .first: return usable.first
    case .longest: return usable.max { $0.utf8.count < $1.utf8.count }
    case .shortest: return usable.min { $0.utf8.count < $1.utf8.count }
    }
  }
}
