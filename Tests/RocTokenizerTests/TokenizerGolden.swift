import RocJSON
import RocTestSupport
import RocTokenizer
import Testing

/// Texts with the ids and decoded texts that transformers gives.
struct TokenizerGolden {
  /// `Tests/Fixtures/backbones/tokenizer`.
  static let folder = "\(Fixture.repository)/Tests/Fixtures/backbones/tokenizer"

  private let name: String
  private let json: JSON

  init(_ name: String) throws {
    self.name = name
    json = try Fixture.json("\(Self.folder)/\(name).json")
  }

  var total: Int? { json["total"]?.int }

  /// Where the tokenizer's files are.
  var folder: String {
    "\(Self.folder)/\(json["folder"]?.string?.split(separator: "/").last ?? "")"
  }

  /// Expects a tokenizer to give what the file says.
  ///
  /// - Parameters:
  ///   - tokenizer: The tokenizer.
  ///   - rows: How many texts there are.
  ///   - partial: How many lists of ids there are that are not the ids of a text.
  /// - Throws: What the golden file lacks.
  func check(_ tokenizer: any Tokenizer, rows: Int, partial: Int) throws {
    #expect(tokenizer.count == total)
    #expect(tokenizer.largestID + 1 == total)
    let texts = try #require(json["rows"]?.array)
    #expect(texts.count == rows)
    for row in texts {
      let text = try #require(row["text"]?.string)
      let ids = try #require(row["ids"]?.array).compactMap(\.int)
      #expect(tokenizer.encode(text) == ids, "\(name): \(text.debugDescription)")
      expectSame(tokenizer.decode(ids), row["decoded"], text)
      expectSame(tokenizer.decode(ids, skipSpecial: false), row["decoded_keep_special"], text)
    }
    let cut = try #require(json["partial"]?.array)
    #expect(cut.count == partial)
    for row in cut {
      let ids = try #require(row["ids"]?.array).compactMap(\.int)
      expectSame(tokenizer.decode(ids), row["decoded"], "\(ids)")
    }
  }

  private func expectSame(_ found: String, _ expected: JSON?, _ what: String) {
    // JSON compares byte by byte, Swift's strings by what they look like.
    #expect(JSON.string(found) == expected, "\(name): \(what.debugDescription)")
  }
}
