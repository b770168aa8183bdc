import Foundation
import RocJSON
import RocTestSupport
import RocTokenizer
import Testing

/// `tokenizer.model` with `added_tokens_decoder`, as transformers 4.34 and later read it.
struct StatedTokensTests {
  private static let source = "\(TokenizerGolden.folder)/llava-original-f16"

  /// A copy of the tokenizer with changed settings.
  private func copy(
    _ changes: [(path: [String], value: JSON?)], keepsList: Bool = true
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var config = try Fixture.json("\(Self.source)/tokenizer_config.json")
    for change in changes { config = config.changing(change.path, to: change.value) }
    try folder.write(config.line, to: "tokenizer_config.json")
    for name in ["tokenizer.model", "special_tokens_map.json", "added_tokens.json"]
    where keepsList || name != "added_tokens.json" {
      try folder.write(Data(contentsOf: URL(fileURLWithPath: "\(Self.source)/\(name)")), to: name)
    }
    return folder
  }

  @Test func blanksBesideAddedTokensStay() throws {
    let golden = try TokenizerGolden("llama-slow-decoder")
    try golden.check(SentencePieceTokenizer(folder: golden.folder), rows: 237, partial: 0)
  }

  @Test func withoutLegacyOnlyTheTextHasALeadingBlank() throws {
    let folder = try copy([(["legacy"], false)])
    let golden = try TokenizerGolden("llama-slow-decoder-new")
    try golden.check(SentencePieceTokenizer(folder: folder.path), rows: 237, partial: 0)
  }

  @Test func theListOfAddedTokensIsNotNeeded() throws {
    let folder = try copy([], keepsList: false)
    try TokenizerGolden("llama-slow-decoder")
      .check(SentencePieceTokenizer(folder: folder.path), rows: 237, partial: 0)
  }

  @Test func blanksGoWhereATokenSaysSo() throws {
    let folder = try copy([
      (["added_tokens_decoder", "600", "lstrip"], true),
      (["added_tokens_decoder", "601", "rstrip"], true),
    ])
    let tokenizer = try SentencePieceTokenizer(folder: folder.path)
    let plain = try SentencePieceTokenizer(folder: Self.source)
    #expect(tokenizer.encode("a [SCORE] b") == plain.encode("a[SCORE] b"))
    #expect(tokenizer.encode("a [IMG0]  b") == plain.encode("a [IMG0]b"))
  }

  /// Tokens without a role are special when they are named so.
  @Test func additionalSpecialTokensAreLeftOut() throws {
    let folder = try copy([(["additional_special_tokens"], ["[SCORE]"])])
    let tokenizer = try SentencePieceTokenizer(folder: folder.path)
    let ids = tokenizer.encode("a[SCORE][IMG0]")
    #expect(tokenizer.decode(ids) == "a [IMG0]")
    #expect(tokenizer.decode(ids, skipSpecial: false) == "<s>a [SCORE] [IMG0]")
  }

  @Test func refusesContradictions() throws {
    func refusal(_ path: [String], _ value: JSON?) throws -> String {
      let folder = try copy([(path, value)])
      let error = #expect(throws: TokenizerError.self) {
        try SentencePieceTokenizer(folder: folder.path)
      }
      return try #require(error?.message).replacing("\(folder.path)/", with: "")
    }
    let decoder = "added_tokens_decoder"
    #expect(
      try refusal([decoder, "601"], nil)
        == "added_tokens.json: [IMG0] has the id 601, but not in added_tokens_decoder of "
        + "tokenizer_config.json")
    #expect(
      try refusal([decoder, "5"], ["content": "x"])
        == #"tokenizer_config.json: added_tokens_decoder.5.content is "x", "#
        + "expected <0x02>, as in tokenizer.model")
    #expect(
      try refusal([decoder, "600", "single_word"], true)
        == "tokenizer_config.json: added_tokens_decoder.600.single_word is true, expected false")
    #expect(
      try refusal([decoder, "700"], ["content": "[SCORE]"])
        .hasSuffix(#"700.content is "[SCORE]", expected each token once"#))
    #expect(
      try refusal([decoder, "0600"], ["content": "[OTHER]"])
        == "tokenizer_config.json: two tokens have the id 600")
    #expect(
      try refusal([decoder, "-1"], ["content": "x"]).hasSuffix("expected an id as its name"))
    #expect(
      try refusal([decoder], [1]) == "tokenizer_config.json: added_tokens_decoder is [1], "
        + "expected an object")
    #expect(
      try refusal(["additional_special_tokens"], ["[NONE]"])
        == "tokenizer.model: no additional_special_tokens.0 [NONE] among its 600 pieces")
  }
}
