import RocJSON

/// Pieces and their ids.
///
/// Texts are bytes: Swift's strings are equal when they are canonically equivalent, and "é" has two
/// spellings that are two pieces.
struct PieceVocabulary: Sendable {
  private let ids: [[UInt8]: Int]
  private let texts: [Int: String]

  /// - Parameter pairs: An object of texts with their ids.
  /// - Throws: `TokenizerError` for what is not an id, and for texts and ids that come twice.
  init(_ pairs: JSONField) throws(TokenizerError) {
    guard let members = pairs.value?.members else { throw pairs.refusal("an object") }
    var ids: [[UInt8]: Int] = [:]
    var texts: [Int: String] = [:]
    ids.reserveCapacity(members.count)
    texts.reserveCapacity(members.count)
    for member in members {
      let id = try pairs.child(member.name, member.value).id()
      guard ids.updateValue(id, forKey: Array(member.name.utf8)) == nil else {
        throw pairs.child(member.name, member.value).refusal("each piece once")
      }
      guard let other = texts.updateValue(member.name, forKey: id) else { continue }
      throw pairs.child(member.name, member.value).refusal("another id than that of \(other)")
    }
    self.ids = ids
    self.texts = texts
  }

  var count: Int { ids.count }
  var largestID: Int? { texts.keys.max() }

  subscript(bytes: [UInt8]) -> Int? { ids[bytes] }

  func id(of text: String) -> Int? { ids[Array(text.utf8)] }

  func text(of id: Int) -> String? { texts[id] }

  /// Ids of the pieces that are a single letter.
  var letters: [Unicode.Scalar: Int] {
    var letters: [Unicode.Scalar: Int] = [:]
    for (id, text) in texts where text.unicodeScalars.count == 1 {
      if let letter = text.unicodeScalars.first { letters[letter] = id }
    }
    return letters
  }
}
