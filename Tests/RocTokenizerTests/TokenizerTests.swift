import Foundation
import RocJSON
import RocTestSupport
import RocTokenizer
import Testing

struct TokenizerTests {
  static let settings = ["tiny600-legacy", "tiny600-new", "tiny600-plain"]

  @Test(arguments: settings)
  func encodesAndDecodesAsTransformersDoes(_ name: String) throws {
    let tokenizer = try SentencePieceTokenizer(folder: Fixture.path("tokenizer/\(name)"))
    let golden = try Fixture.json("tokenizer/\(name)/golden.json")
    #expect(tokenizer.pieceCount == golden["pieces"]?.int)
    #expect(tokenizer.count == golden["total"]?.int)
    let rows = try #require(golden["rows"]?.array)
    #expect(rows.count == 230)
    for row in rows {
      let text = try #require(row["text"]?.string)
      let ids = try #require(row["ids"]?.array).compactMap(\.int)
      #expect(tokenizer.encode(text) == ids, "\(name): \(text.debugDescription)")
      #expect(same(tokenizer.decode(ids), row["decoded"]?.string), "\(text.debugDescription)")
      #expect(
        same(tokenizer.decode(ids, skipSpecial: false), row["decoded_keep_special"]?.string),
        "\(text.debugDescription)")
    }
  }

  /// Byte by byte: Swift's == holds canonically equivalent texts to be equal.
  private func same(_ a: String, _ b: String?) -> Bool {
    b.map { Array($0.utf8) == Array(a.utf8) } ?? false
  }

  @Test func splitsPromptsAtThePicture() throws {
    let tokenizer = try SentencePieceTokenizer(folder: Fixture.path("tiny-f32"))
    let golden = try Fixture.json("tiny-f32/golden.json")
    let prompt = try #require(golden["prompts"]?["default"])
    let text = try #require(prompt["prompt"]?.string)
    let ids = tokenizer.encode(text, splitAt: "<|image|>", imageID: -200)
    #expect(ids == prompt["input_ids"]?.array?.compactMap(\.int))
    // Nothing before the mark: no begin-of-text handling, the second stretch keeps its own.
    let bare = tokenizer.encode("<|image|>hello", splitAt: "<|image|>", imageID: -200)
    let begin = try #require(tokenizer.beginID)
    #expect(bare.prefix(2) == [-200, begin])
  }

  @Test func refusesFoldersThatAreNoTokenizer() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TokenizerError.self) { try SentencePieceTokenizer(folder: folder.path) }
    try folder.write("this is no model", to: "tokenizer.model")
    #expect(throws: TokenizerError.self) { try SentencePieceTokenizer(folder: folder.path) }

    let copy = try folder.copy("tokenizer/tiny600-legacy", as: "copy")
    try "{\"[SCORE]\": \"x\"}".write(
      toFile: "\(copy)/added_tokens.json", atomically: true, encoding: .utf8)
    let added = #expect(throws: TokenizerError.self) { try SentencePieceTokenizer(folder: copy) }
    #expect(added?.message == "\(copy)/added_tokens.json: [SCORE] has the id \"x\"")
    try "{\"eos_token\": \"<end>\"}".write(
      toFile: "\(copy)/special_tokens_map.json", atomically: true, encoding: .utf8)
    try "{}".write(toFile: "\(copy)/added_tokens.json", atomically: true, encoding: .utf8)
    let end = #expect(throws: TokenizerError.self) { try SentencePieceTokenizer(folder: copy) }
    #expect(
      end?.message
        == "\(copy)/tokenizer.model: no end-of-text token <end> among its 600 pieces")
  }

  @Test func survivesDamageAnywhere() throws {
    let folder = try TemporaryFolder()
    let copy = try folder.copy("tokenizer/tiny600-legacy", as: "copy")
    let whole = try Data(contentsOf: URL(fileURLWithPath: "\(copy)/tokenizer.model"))
    for length in stride(from: 0, to: whole.count, by: 97) {
      try whole.prefix(length).write(to: URL(fileURLWithPath: "\(copy)/tokenizer.model"))
      _ = try? SentencePieceTokenizer(folder: copy)
    }
    var outcomes: Set<Bool> = []
    for position in stride(from: 0, to: whole.count, by: 61) {
      var damaged = whole
      damaged[position] ^= 0xFF
      try damaged.write(to: URL(fileURLWithPath: "\(copy)/tokenizer.model"))
      let tokenizer = try? SentencePieceTokenizer(folder: copy)
      outcomes.insert(tokenizer != nil)
      if let tokenizer {
        let ids = tokenizer.encode("The aesthetic rate of the image is [SCORE]. é")
        #expect(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.count })
        _ = tokenizer.decode(ids)
      }
    }
    #expect(outcomes == [true, false])
  }
}
