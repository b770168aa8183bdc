import Foundation
import RocJSON
import RocTestSupport
import RocTokenizer
import Testing

struct FastTokenizerTests {
  private static let llama = "\(TokenizerGolden.folder)/llava-hf-f32"
  private static let qwen = "\(TokenizerGolden.folder)/qwen2vl-f32"

  @Test(arguments: [("qwen", 312, 6), ("llama-fast", 237, 8), ("llama-fast-normalized", 237, 8)])
  func encodesAndDecodesAsTransformersDoes(_ name: String, _ rows: Int, _ partial: Int) throws {
    let golden = try TokenizerGolden(name)
    try golden.check(FastTokenizer(folder: golden.folder), rows: rows, partial: partial)
  }

  @Test func mergesMayBePairs() throws {
    let folder = try TemporaryFolder()
    let json = try Fixture.json("\(Self.qwen)/tokenizer.json")
    let merges = try #require(json["model"]?["merges"]?.array).map { merge -> JSON in
      .array((merge.string ?? "").split(separator: " ").map { .string(String($0)) })
    }
    try folder.write(
      json.changing(["model", "merges"], to: .array(merges)).line, to: "tokenizer.json")
    try TokenizerGolden("qwen").check(FastTokenizer(folder: folder.path), rows: 312, partial: 6)
  }

  @Test(arguments: [true, false])
  func olderFilesSayTheSame(_ statesTokens: Bool) throws {
    let folder = try TemporaryFolder()
    for name in ["vocab.json", "merges.txt", "added_tokens.json"] {
      try folder.write(String(contentsOfFile: "\(Self.qwen)/\(name)", encoding: .utf8), to: name)
    }
    var config = try Fixture.json("\(Self.qwen)/tokenizer_config.json")
    if !statesTokens { config = config.changing(["added_tokens_decoder"], to: nil) }
    try folder.write(config.line, to: "tokenizer_config.json")
    let tokenizer = try FastTokenizer(folder: folder.path)
    try TokenizerGolden("qwen").check(tokenizer, rows: 312, partial: 6)
    #expect(tokenizer.endID == 642)
  }

  @Test func knowsItsSpecialTokens() throws {
    let qwen = try FastTokenizer(folder: Self.qwen)
    #expect(qwen.beginID == nil && qwen.unknownID == nil)
    #expect(qwen.endID == 642 && qwen.id(of: "<|im_end|>") == 642)
    #expect(qwen.id(of: "[IMG9]") == 664 && qwen.id(of: "[IMG10]") == nil)
    #expect(qwen.id(of: "\u{120}t") == 257)
    let llama = try FastTokenizer(folder: Self.llama)
    #expect(llama.beginID == 1 && llama.endID == 2 && llama.unknownID == 0)
    #expect(llama.id(of: "[SCORE]") == 602)
    #expect(llama.encodeWithoutBegin("") == [])
  }

  @Test func theEndMayBeUnknown() throws {
    let folder = try TemporaryFolder()
    let json = try String(contentsOfFile: "\(Self.qwen)/tokenizer.json", encoding: .utf8)
    try folder.write(json, to: "tokenizer.json")
    #expect(try FastTokenizer(folder: folder.path).endID == nil)
    try folder.write(#"{"eos_token": "<|im_end|>"}"#, to: "special_tokens_map.json")
    #expect(try FastTokenizer(folder: folder.path).endID == 642)
    try folder.write(#"{"eos_token": {"content": "[SCORE]"}}"#, to: "tokenizer_config.json")
    #expect(try FastTokenizer(folder: folder.path).endID == 654)
    try folder.write(#"{"eos_token": "<none>"}"#, to: "tokenizer_config.json")
    #expect(try FastTokenizer(folder: folder.path).endID == nil)
  }

  @Test func passesOverIdsThatAreNone() throws {
    for folder in [Self.qwen, Self.llama] {
      let tokenizer = try FastTokenizer(folder: folder)
      let ids = tokenizer.encode("a [SCORE]")
      let wild = [-1, Int.max, Int.min, tokenizer.count, 1 << 40]
      #expect(tokenizer.decode(wild + ids + wild) == tokenizer.decode(ids))
    }
  }

  /// What stands beside the tokens of these flags is checked against tokenizers 0.21.4.
  @Test func addedTokensTakeBlanksAndWordsAsTheySay() throws {
    func ids(_ text: String, _ flags: JSON) throws -> [Int] {
      let folder = try TemporaryFolder()
      var token: JSON = ["id": 665, "content": "<t>"]
      for member in flags.members ?? [] { token = token.changing([member.name], to: member.value) }
      let json = try Fixture.json("\(Self.qwen)/tokenizer.json")
        .changing(["added_tokens", "25"], to: token)
      try folder.write(json.line, to: "tokenizer.json")
      return try FastTokenizer(folder: folder.path).encode(text)
    }
    let plain = try FastTokenizer(folder: Self.qwen)
    let a = plain.encode("a")
    let b = plain.encode("b")
    let blank = plain.encode(" ")
    #expect(try ids("a <t> b", [:]) == a + blank + [665] + plain.encode(" b"))
    #expect(try ids("a \u{3000}<t> b", ["lstrip": true]) == a + [665] + plain.encode(" b"))
    #expect(try ids("a <t>\n b", ["rstrip": true]) == a + blank + [665] + b)
    // Two in a row: the first takes the blank.
    #expect(try ids("<t> <t>", ["lstrip": true, "rstrip": true]) == [665, 665])
    #expect(try ids("a<t>", ["single_word": true]) == a + plain.encode("<t>"))
    #expect(try ids("\u{301}<t>.", ["single_word": true]).contains(665) == false)
    #expect(try ids("-<t>.", ["single_word": true]).contains(665))
  }

  @Test func normalizedTokensMatchNormalizedText() throws {
    let json = try Fixture.json("\(Self.qwen)/tokenizer.json")
    for isNormalized in [true, false] {
      let folder = try TemporaryFolder()
      let token: JSON = [
        "id": 665, "content": "e\u{301}!", "normalized": .bool(isNormalized),
      ]
      try folder.write(
        json.changing(["added_tokens", "25"], to: token).line, to: "tokenizer.json")
      let tokenizer = try FastTokenizer(folder: folder.path)
      #expect(tokenizer.encode("e\u{301}!") == [665])
      #expect((tokenizer.encode("\u{E9}!") == [665]) == isNormalized)
      // Texts that look the same are two names.
      #expect(tokenizer.id(of: "\u{E9}!") == nil)
    }
  }

  @Test(arguments: [qwen, llama])
  func longTextTakesNoSquareOfItsTime(_ folder: String) throws {
    let tokenizer = try FastTokenizer(folder: folder)
    let text = String(repeating: "the aesthetic rate of the image is good and ", count: 1000)
    let clock = ContinuousClock()
    var ids: [Int] = []
    let time = clock.measure { ids = tokenizer.encode(text) }
    #expect(tokenizer.decode(ids) == text)
    // Pairs searched again after each merge would take minutes.
    #expect(time < .seconds(20), "\(time)")
    let run = String(repeating: "a", count: 20_000)
    #expect(tokenizer.decode(tokenizer.encode(run)) == run)
  }
}
