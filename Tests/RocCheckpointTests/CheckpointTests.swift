import Foundation
import RocCheckpoint
import RocDigest
import RocTensor
import RocTestSupport
import Testing

struct CheckpointTests {
  @Test func readsOneFileAndShards() throws {
    let single = try Checkpoint(folder: Fixture.path("tiny-f32"))
    #expect(single.weightFiles == ["model.safetensors"])
    let sharded = try Checkpoint(folder: Fixture.path("tiny-gqa-bf16"))
    #expect(sharded.weightFiles.count == 2)
    #expect(sharded.names == single.names)
    #expect(sharded["lm_head.weight"]?.dtype == .bf16)
  }

  @Test func namesWhatIsMissing() throws {
    let folder = try TemporaryFolder()
    let none = #expect(throws: CheckpointError.self) {
      try Checkpoint(folder: "\(folder.path)/none")
    }
    #expect(none?.message == "\(folder.path)/none: there is no such checkpoint folder")
    let empty = #expect(throws: CheckpointError.self) { try Checkpoint(folder: folder.path) }
    #expect(empty?.message.contains("expected model.safetensors") == true)

    let copy = try folder.copy("tiny-gqa-bf16", as: "shards")
    try FileManager.default.removeItem(atPath: "\(copy)/model-00002-of-00002.safetensors")
    let shard = #expect(throws: CheckpointError.self) { try Checkpoint(folder: copy) }
    #expect(shard?.message.contains("model-00002-of-00002.safetensors") == true)
  }

  @Test func refusesAnIndexThatLeavesTheFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "{\"weight_map\": {\"a\": \"../../etc/passwd\"}}", to: "model.safetensors.index.json")
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(folder: folder.path) }
    #expect(error?.message.contains("expected a file name in the folder") == true)
  }

  @Test func hashesFilesByTheirSortedNames() throws {
    let path = Fixture.path("tiny-gqa-bf16")
    let names = [
      "added_tokens.json", "config.json", "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors", "preprocessor_config.json", "special_tokens_map.json",
      "tokenizer.model", "tokenizer_config.json",
    ]
    let lines = try names.map { "\(try SHA256.of(file: "\(path)/\($0)"))  \($0)\n" }.joined()
    #expect(try Checkpoint(folder: path).sha256() == SHA256.of(lines))
  }

  @Test func hashesKnownTexts() {
    #expect(
      SHA256.of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      SHA256.of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func saysHowToDownloadAHubName() throws {
    let error = #expect(throws: CheckpointError.self) {
      try HubCache.resolve("Nobody/No-Such.Model_1")
    }
    #expect(
      error?.message.hasSuffix("download it with: huggingface-cli download Nobody/No-Such.Model_1")
        == true)
    #expect(try HubCache.resolve("some/longer/path") == "some/longer/path")
    #expect(try HubCache.resolve(Fixture.reference) == Fixture.reference)
  }
}
