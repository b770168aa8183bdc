import Foundation
import RocJSON
import RocMetrics
import RocTestSupport
import Testing

/// Held against pycocoevalcap; `make_cider.py` wrote the numbers.
struct CIDErTests {
  private static let golden = try? Fixture.json(
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("cider.json").path)

  @Test func cutsCommentsAsStanfordsTokenizerDoes() throws {
    let cases = try #require(Self.golden?["tokens"]?.array)
    #expect(cases.count == 40)
    for item in cases {
      let text = try #require(item["text"]?.string)
      #expect(CommentTokens.of(text).joined(separator: " ") == item["tokens"]?.string, "\(text)")
    }
  }

  @Test func equalsPycocoevalcap() throws {
    let items = try #require(Self.golden?["images"]?.array)
    let images = items.map { item in
      (
        candidate: item["candidate"]?.string ?? "",
        references: (item["references"]?.array ?? []).compactMap(\.string)
      )
    }
    let found = try #require(CIDEr.scores(images))
    for (score, item) in zip(found.each, items) {
      #expect(abs(score - (item["cider"]?.double ?? .nan)) <= 1e-9)
    }
    #expect(abs(found.mean - (Self.golden?["cider"]?.double ?? .nan)) <= 1e-9)
  }

  @Test func isUndefinedWithoutComments() {
    #expect(CIDEr.scores([]) == nil)
    #expect(CIDEr.scores([("a", [])]) == nil)
    #expect(CIDEr.scores([("", ["a b"]), ("c", ["d"])])?.mean == 0)
    #expect(CommentTokens.of("").isEmpty && CommentTokens.of(" ...!? ").first == "!?")
  }
}
