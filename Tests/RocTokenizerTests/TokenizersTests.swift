import Foundation
import RocTestSupport
import RocTokenizer
import Testing

struct TokenizersTests {
  @Test func takesTheKindThatIsAskedFor() throws {
    let both = "\(TokenizerGolden.folder)/llava-hf-f32"
    #expect(try Tokenizers.read(folder: both, prefersFast: true) is FastTokenizer)
    #expect(try Tokenizers.read(folder: both, prefersFast: false) is SentencePieceTokenizer)
  }

  @Test(arguments: [true, false])
  func takesTheOtherKindWhereThereIsOnlyThat(_ prefersFast: Bool) throws {
    let slow = "\(TokenizerGolden.folder)/llava-original-f16"
    #expect(try Tokenizers.read(folder: slow, prefersFast: prefersFast) is SentencePieceTokenizer)
    let fast = "\(TokenizerGolden.folder)/qwen2vl-f32"
    #expect(try Tokenizers.read(folder: fast, prefersFast: prefersFast) is FastTokenizer)

    let folder = try TemporaryFolder()
    for name in ["vocab.json", "merges.txt"] {
      try folder.write(String(contentsOfFile: "\(fast)/\(name)", encoding: .utf8), to: name)
    }
    #expect(
      try Tokenizers.read(folder: folder.path, prefersFast: prefersFast) is FastTokenizer)
  }

  @Test func saysWhatItLookedFor() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "vocab.json")
    let error = #expect(throws: TokenizerError.self) {
      try Tokenizers.read(folder: folder.path, prefersFast: true)
    }
    #expect(
      error?.message
        == "\(folder.path): no tokenizer.json, no vocab.json with merges.txt, no tokenizer.model")
    let empty = try TemporaryFolder()
    let fast = #expect(throws: TokenizerError.self) { try FastTokenizer(folder: empty.path) }
    #expect(
      fast?.message == "\(empty.path): no tokenizer.json, and no vocab.json with merges.txt")
  }

  /// A tokenizer that is refused is not replaced by another that gives other ids.
  @Test func refusedIsRefused() throws {
    let folder = try TemporaryFolder()
    let both = "\(TokenizerGolden.folder)/llava-hf-f32"
    try folder.write(
      Data(contentsOf: URL(fileURLWithPath: "\(both)/tokenizer.model")), to: "tokenizer.model")
    #expect(try Tokenizers.read(folder: folder.path, prefersFast: true) is SentencePieceTokenizer)
    try folder.write(#"{"model": {"type": "Unigram"}}"#, to: "tokenizer.json")
    let error = #expect(throws: TokenizerError.self) {
      try Tokenizers.read(folder: folder.path, prefersFast: true)
    }
    #expect(
      error?.message
        == #"\#(folder.path)/tokenizer.json: model.type is "Unigram", expected "BPE""#)
  }
}
