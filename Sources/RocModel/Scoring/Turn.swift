/// What one side says in a conversation.
package struct Turn: Sendable, Equatable {
  /// Who speaks, by the names of mPLUG-Owl2's conversation files.
  package enum Role: String, Sendable {
    case human
    case gpt
  }

  package let role: Role
  package let text: String

  package init(_ role: Role, _ text: String) {
    self.role = role
    self.text = text
  }
}
