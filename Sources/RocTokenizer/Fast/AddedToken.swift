import RocJSON

/// A token that stands beside the vocabulary and cuts the text before pieces are looked for.
struct AddedToken: Sendable {
  let id: Int
  let text: String
  /// Left out of decoded text where that is asked for.
  let isSpecial: Bool
  /// Looked for, in its normalized form, in the normalized text instead of the raw one.
  let isNormalized: Bool
  let stripsLeft: Bool
  let stripsRight: Bool
  /// Only found where no letter stands beside it.
  let isSingleWord: Bool

  /// A token without properties of its own.
  init(id: Int, text: String, isSpecial: Bool) {
    self.id = id
    self.text = text
    self.isSpecial = isSpecial
    isNormalized = !isSpecial
    stripsLeft = false
    stripsRight = false
    isSingleWord = false
  }

  /// Reads a token with its properties.
  ///
  /// - Parameters:
  ///   - field: An element of `added_tokens`, or a member of `added_tokens_decoder`.
  ///   - id: Given where the field does not say it.
  /// - Throws: `TokenizerError` naming what is wrong or not known.
  init(_ field: JSONField, id: Int? = nil) throws(TokenizerError) {
    let flags = ["single_word", "lstrip", "rstrip", "normalized", "special"]
    try field.expect(onlyKeys: ["id", "content"] + flags)
    text = try field["content"].text()
    guard !text.isEmpty else { throw field["content"].refusal("a text that is not empty") }
    self.id = if let id { id } else { try field["id"].id() }
    isSpecial = try field["special"].flag(default: false)
    isNormalized = try field["normalized"].flag(default: !isSpecial)
    stripsLeft = try field["lstrip"].flag(default: false)
    stripsRight = try field["rstrip"].flag(default: false)
    isSingleWord = try field["single_word"].flag(default: false)
  }

  /// The members of `added_tokens_decoder`, in the order of their ids; nil where there is none.
  static func stated(_ config: JSONField) throws(TokenizerError) -> [AddedToken]? {
    let field = config["added_tokens_decoder"]
    guard !field.isAbsent else { return nil }
    var tokens: [AddedToken] = []
    for (name, member) in try field.members() {
      guard let id = UInt32(name) else { throw member.refusal("an id as its name") }
      tokens.append(try AddedToken(member, id: Int(id)))
    }
    return tokens.sorted { $0.id < $1.id }
  }
}
