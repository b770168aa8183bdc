import Foundation
import RocJSON
import RocTestSupport
import RocTokenizer
import Testing

/// What a tokenizer's files may say that is not known or wrong; each is refused by its name.
struct FastTokenizerRefusalTests {
  /// A change and what the refusal says after the file's name.
  struct Change: Sendable, CustomTestStringConvertible {
    let folder: String
    let file: String
    let path: [String]
    let value: JSON?
    let message: String

    var testDescription: String { message }

    static func qwen(
      _ path: String, _ value: JSON?, _ message: String, file: String = "tokenizer.json"
    ) -> Change {
      Change(
        folder: "qwen2vl-f32", file: file, path: path.split(separator: "/").map(String.init),
        value: value, message: message)
    }

    static func llama(
      _ path: String, _ value: JSON?, _ message: String, file: String = "tokenizer.json"
    ) -> Change {
      Change(
        folder: "llava-hf-f32", file: file, path: path.split(separator: "/").map(String.init),
        value: value, message: message)
    }
  }

  static let unknown: [Change] = [
    .qwen("version", "2.0", #"version is "2.0", expected "1.0""#),
    .qwen("extra", 1, "extra is 1, expected no such key"),
    .qwen("model/type", "Unigram", #"model.type is "Unigram", expected "BPE""#),
    .qwen("model/type", "WordPiece", #"model.type is "WordPiece", expected "BPE""#),
    .qwen("model/dropout", 0.5, "model.dropout is 0.5, expected null"),
    .qwen(
      "model/continuing_subword_prefix", "##",
      ###"model.continuing_subword_prefix is "##", expected null"###),
    .qwen(
      "model/end_of_word_suffix", "</w>", #"model.end_of_word_suffix is "</w>", expected null"#),
    .qwen("model/ignore_merges", true, "model.ignore_merges is true, expected false"),
    .qwen("model/cache", 3, "model.cache is 3, expected no such key"),
    .qwen(
      "normalizer/type", "NFKC", #"normalizer.type is "NFKC", expected NFC, Prepend or Replace"#),
    .llama(
      "normalizer/normalizers/0/type", "Lowercase",
      #"normalizer.normalizers.0.type is "Lowercase", expected NFC, Prepend or Replace"#),
    .llama(
      "normalizer/normalizers/0/prepend", "_",
      #"normalizer.normalizers.0.prepend is "_", expected "\#u{2581}""#),
    .llama(
      "normalizer/normalizers/1/pattern", ["Regex": " "],
      #"normalizer.normalizers.1.pattern.Regex is " ", expected no such key"#),
    .llama(
      "normalizer/normalizers/1/content", "_",
      #"normalizer.normalizers.1.content is "_", expected "\#u{2581}""#),
    .qwen(
      "pre_tokenizer", ["type": "Whitespace"],
      #"pre_tokenizer.type is "Whitespace", expected a Sequence of Split and ByteLevel"#),
    .qwen("pre_tokenizer", .null, "pre_tokenizer.type is missing, expected a string"),
    .llama(
      "pre_tokenizer", ["type": "Metaspace"],
      #"pre_tokenizer is {"type": "Metaspace"}, expected null, as the decoder is LLaMA's"#),
    .qwen(
      "pre_tokenizer/pretokenizers/0/pattern/Regex", #"\p{L}+"#,
      #"pre_tokenizer.pretokenizers.0.pattern.Regex is "\\p{L}+", expected "(?i:'s"#),
    .qwen(
      "pre_tokenizer/pretokenizers/0/behavior", "Removed",
      #"pre_tokenizer.pretokenizers.0.behavior is "Removed", expected "Isolated""#),
    .qwen(
      "pre_tokenizer/pretokenizers/0/invert", true,
      "pre_tokenizer.pretokenizers.0.invert is true, expected false"),
    .qwen(
      "pre_tokenizer/pretokenizers/1/type", "Digits",
      #"pre_tokenizer.pretokenizers.1.type is "Digits", expected "ByteLevel""#),
    .qwen(
      "pre_tokenizer/pretokenizers/1/add_prefix_space", true,
      "pre_tokenizer.pretokenizers.1.add_prefix_space is true, expected false"),
    .qwen(
      "pre_tokenizer/pretokenizers/1/use_regex", nil,
      "pre_tokenizer.pretokenizers.1.use_regex is missing, expected false"),
    .qwen(
      "pre_tokenizer/pretokenizers/2", ["type": "Digits"],
      "pre_tokenizer.pretokenizers is an array that is not shown, expected two steps"),
    .llama(
      "post_processor/type", "RobertaProcessing",
      #"post_processor.type is "RobertaProcessing", expected ByteLevel or TemplateProcessing"#),
    .llama(
      "post_processor/single/2", ["SpecialToken": ["id": "</s>", "type_id": 0]],
      "expected the text A, with at most one token before it"),
    .llama(
      "post_processor/single/1", ["SpecialToken": ["id": "</s>", "type_id": 0]],
      "expected the text A, with at most one token before it"),
    .llama(
      "post_processor/special_tokens/<s>/ids", [1, 2],
      "post_processor.special_tokens.<s>.ids is [1, 2], expected one id"),
    .llama(
      "post_processor/special_tokens/<s>/ids", [5000],
      "expected ids of tokens"),
    .qwen(
      "decoder/type", "WordPiece",
      #"decoder.type is "WordPiece", expected ByteLevel, or LLaMA's Sequence"#),
    .qwen("decoder", .null, "decoder.type is missing, expected a string"),
    .llama("decoder/decoders/3/start", 2, "decoder.decoders.3.start is 2, expected 1"),
    .llama(
      "decoder/decoders/1/type", "Metaspace",
      #"decoder.decoders.1.type is "Metaspace", expected "ByteFallback""#),
    .llama("decoder/decoders/3", nil, "decoder.decoders is ["),
  ]

  static let wrong: [Change] = [
    .qwen("model/vocab", [1], "model.vocab is [1], expected an object"),
    .qwen("model/vocab", nil, "model.vocab is missing, expected an object"),
    .qwen("model/vocab/!", -1, "model.vocab.! is -1, expected an id of 0 to 4294967295"),
    .qwen("model/vocab/!", 4_294_967_296, "model.vocab.! is 4294967296, expected an id of 0 to"),
    .qwen("model/vocab/!", 0.5, "model.vocab.! is 0.5, expected an id of 0 to"),
    .qwen("model/vocab/!", "0", #"model.vocab.! is "0", expected an id of 0 to"#),
    .qwen("model/vocab/!", 1, #"is 1, expected another id than that of"#),
    .qwen("model/merges", ["h e": 1], #"model.merges is {"h e": 1}, expected an array"#),
    .qwen(
      "model/merges/1", "he",
      #"model.merges.1 is "he", expected two pieces with a blank between them"#),
    .qwen("model/merges/1", ["h", "e"], #"model.merges.1 is ["h", "e"], expected two pieces"#),
    .qwen("model/merges/0", ["h"], #"model.merges.0 is ["h"], expected two texts in an array"#),
    .qwen(
      "model/merges/2", "h zz",
      "model.merges.2 merges h and zz, but zz is no piece of the vocabulary"),
    .qwen(
      "model/merges/2", "q q",
      "model.merges.2 merges q and q, but qq is no piece of the vocabulary"),
    .qwen("model/merges/2", "h ", "model.merges.2 merges h and , but  is no piece"),
    .llama("model/unk_token", "<x>", #"model.unk_token is "<x>", expected a piece of model.vocab"#),
    .llama("model/fuse_unk", 1, "model.fuse_unk is 1, expected true or false"),
    .qwen("added_tokens", ["a": 1], #"added_tokens is {"a": 1}, expected an array"#),
    .qwen("added_tokens/0/id", -5, "added_tokens.0.id is -5, expected an id of 0 to"),
    .qwen("added_tokens/0/id", 1e30, "added_tokens.0.id is 1e+30, expected an id of 0 to"),
    .qwen("added_tokens/0/id", 7, "added_tokens.0.id is 7, expected 640, the next"),
    .qwen("added_tokens/3/id", 642, "added_tokens.3.id is 642, expected 643, the next"),
    .llama("added_tokens/1/id", 600, "added_tokens.1.id is 600, expected 1, as in model.vocab"),
    .qwen(
      "added_tokens/1/content", "<|endoftext|>",
      #"added_tokens.1.content is "<|endoftext|>", expected each token once"#),
    .qwen("added_tokens/1/content", "", #"added_tokens.1.content is "", expected a text"#),
    .qwen("added_tokens/1/lstrip", "yes", #"added_tokens.1.lstrip is "yes", expected true or"#),
    .qwen("added_tokens/1/color", 1, "added_tokens.1.color is 1, expected no such key"),
  ]

  static let settings: [Change] = [
    .llama("clean_up_tokenization_spaces", true, "expected false", file: "tokenizer_config.json"),
    .qwen(
      "split_special_tokens", true, "split_special_tokens is true, expected false",
      file: "tokenizer_config.json"),
    .llama(
      "add_eos_token", true, "add_eos_token is true, expected false", file: "tokenizer_config.json"),
    .llama(
      "add_bos_token", false, "add_bos_token is false, expected true, as in",
      file: "tokenizer_config.json"),
    .qwen(
      "add_bos_token", true, "add_bos_token is true, expected false, as in",
      file: "tokenizer_config.json"),
    .qwen("eos_token", 5, "eos_token is 5, expected a string", file: "tokenizer_config.json"),
    .qwen(
      "eos_token", "!", "added_tokens lacks !, which", file: "tokenizer_config.json"),
    .qwen(
      "added_tokens_decoder/700", ["content": "[NEW]"], "[NEW] has the id 700, but",
      file: "tokenizer_config.json"),
    .qwen(
      "added_tokens_decoder/654/content", "[IMG0]", "[IMG0] has the id 654, but",
      file: "tokenizer_config.json"),
    .qwen(
      "added_tokens_decoder/x", ["content": "y"], "expected an id as its name",
      file: "tokenizer_config.json"),
  ]

  @Test(arguments: unknown + wrong + settings)
  func refusesByName(_ change: Change) throws {
    let folder = try TemporaryFolder()
    let source = "\(TokenizerGolden.folder)/\(change.folder)"
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      var json = try Fixture.json("\(source)/\(name)")
      if name == change.file { json = json.changing(change.path, to: change.value) }
      try folder.write(json.line, to: name)
    }
    let error = #expect(throws: TokenizerError.self) { try FastTokenizer(folder: folder.path) }
    let message = try #require(error?.message)
    #expect(message.hasPrefix("\(folder.path)/tokenizer"))
    #expect(message.contains(change.message), "\(message)")
  }

  @Test func whatChangesNothingIsTaken() throws {
    let folder = try TemporaryFolder()
    let source = "\(TokenizerGolden.folder)/qwen2vl-f32"
    var json = try Fixture.json("\(source)/tokenizer.json")
    for (path, value) in [
      ("model/continuing_subword_prefix", "" as JSON), ("model/end_of_word_suffix", ""),
      ("post_processor", .null), ("truncation", ["max_length": 3]), ("padding", ["length": 9]),
      ("decoder/use_regex", false), ("pre_tokenizer/pretokenizers/1/trim_offsets", false),
    ] {
      json = json.changing(path.split(separator: "/").map(String.init), to: value)
    }
    try folder.write(json.line, to: "tokenizer.json")
    try TokenizerGolden("qwen").check(FastTokenizer(folder: folder.path), rows: 312, partial: 6)
  }

  @Test func olderFilesAreChecked() throws {
    let source = "\(TokenizerGolden.folder)/qwen2vl-f32"
    func refusal(_ name: String, _ change: (String) -> String?) throws -> String {
      let folder = try TemporaryFolder()
      for file in ["vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json"] {
        let text = try String(contentsOfFile: "\(source)/\(file)", encoding: .utf8)
        if let text = file == name ? change(text) : text { try folder.write(text, to: file) }
      }
      let error = #expect(throws: TokenizerError.self) { try FastTokenizer(folder: folder.path) }
      return try #require(error?.message).replacing("\(folder.path)/", with: "")
    }
    #expect(try refusal("merges.txt") { _ in nil }.hasPrefix("merges.txt: "))
    #expect(
      try refusal("merges.txt") { $0 + "a b c\n" }
        == #"merges.txt: line 386 is "a b c", expected two pieces with a blank between them"#)
    #expect(
      try refusal("merges.txt") { $0 + "a zz\r\n" }
        == "merges.txt: line 386 merges a and zz, but zz is no piece of the vocabulary")
    #expect(
      try refusal("vocab.json") { String($0.dropLast(9)) }.hasPrefix("vocab.json is not valid JSON")
    )
    #expect(
      try refusal("tokenizer_config.json") { $0.replacing("Qwen2Tokenizer", with: "GPT2Tokenizer") }
        == #"tokenizer_config.json: tokenizer_class is "GPT2Tokenizer", "#
        + "expected Qwen2Tokenizer, as there is no tokenizer.json")
    #expect(
      try refusal("tokenizer_config.json") { $0.replacing("\"650\"", with: "\"5\"") }
        == "tokenizer_config.json: <|vision_end|> has the id 5, which is another token's")
    #expect(
      try refusal("tokenizer_config.json") { $0.replacing("\"650\"", with: "\"0651\"") }
        .hasSuffix("has the id 651, which is another token's"))
  }

  @Test(arguments: ["qwen2vl-f32", "llava-hf-f32"])
  func survivesDamageAnywhere(_ name: String) throws {
    let folder = try TemporaryFolder()
    let source = "\(TokenizerGolden.folder)/\(name)/tokenizer.json"
    let whole = try Data(contentsOf: URL(fileURLWithPath: source))
    for length in stride(from: 0, to: whole.count, by: 997) {
      try folder.write(whole.prefix(length), to: "tokenizer.json")
      #expect(throws: TokenizerError.self) { try FastTokenizer(folder: folder.path) }
    }
    var outcomes: Set<Bool> = []
    for position in stride(from: 0, to: whole.count, by: 211) {
      var damaged = whole
      damaged[position] ^= UInt8(1 << (position % 7))
      try folder.write(damaged, to: "tokenizer.json")
      let tokenizer = try? FastTokenizer(folder: folder.path)
      outcomes.insert(tokenizer != nil)
      guard let tokenizer else { continue }
      let ids = tokenizer.encode("The aesthetic rate of the image is [SCORE]. \u{E9}\u{1F600}")
      #expect(ids.allSatisfy { $0 >= 0 && $0 <= tokenizer.largestID })
      _ = tokenizer.decode(ids)
    }
    #expect(outcomes == [true, false])
  }
}
