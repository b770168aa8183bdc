import RocTokenizer

/// The token that stands for a picture in a prompt.
enum PictureToken {
  /// Checks config.json against the tokenizer: with another id no picture would be seen.
  static func check(
    _ mark: String, is id: Int, in tokenizer: any Tokenizer, _ place: String
  ) throws(ModelError) {
    guard tokenizer.id(of: mark) == id else {
      let found = tokenizer.id(of: mark).map { "the id \($0)" } ?? "no id"
      throw .checkpoint(
        "\(place): the picture's token is \(id), but \(mark) has \(found) in the tokenizer")
    }
  }
}
