import Foundation
import RocArchive
import RocData
import RocNames
import RocStore
import RocTables
import RocTestSupport
import Testing

struct PictureArchiveTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func archive(_ name: String, as other: String? = nil) throws -> String {
    try folder.write(try Fixture.table(name), to: other ?? name)
  }

  private func unpacked() -> [String] {
    let walk = FileManager.default.enumerator(atPath: "\(folder.path)/out")
    return (walk?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".png") }.sorted()
  }

  @Test func unpacksPicturesAndRefusesTheRestByName() throws {
    let path = try archive("hostile.zip")
    let reader = try PictureArchive(path, folder: "\(folder.path)/out")
    let result = try reader.unpack(jobs: 2) { _ in true }
    #expect(unpacked() == ["photos/broken.png", "photos/good.png"])
    #expect(result.pictures == 2)
    #expect(result.facts["photos/good.png"]?.state == .readable)
    #expect(result.facts["photos/good.png"]?.width == 64)
    #expect(result.facts["photos/broken.png"]?.flags == [.truncated])
    #expect(
      result.refused.map { "\($0.line) \($0.reason)" } == [
        "2 would leave the folder with ..", "3 has an absolute path",
        "4 would leave the folder with ..", "5 would leave the folder with ..",
      ])
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/escaped.png"))
    // The same archive need not be unpacked twice, and says again what it refused.
    let again = try reader.unpack(jobs: 1) { _ in true }
    #expect(again.isKnown && again.refused == result.refused)
  }

  @Test func refusesAPictureInsideAPicture() throws {
    let path = try archive("clash.zip")
    let result = try PictureArchive(path, folder: "\(folder.path)/out").unpack(jobs: 2) { _ in true
    }
    #expect(result.pictures == 2 && result.refused.count == 1)
    #expect(result.refused[0].reason.hasPrefix("another entry"))
    #expect(unpacked().contains("c.png"))
  }

  @Test func followsNoLinks() throws {
    let path = try archive("hostile.tar.gz")
    let result = try PictureArchive(path, folder: "\(folder.path)/out").unpack(jobs: 1) { _ in true
    }
    #expect(unpacked() == ["good.png", "out/through.png"])
    #expect(result.refused.map(\.reason) == ["is a link", "is a link", "is no regular file"])
    let facts = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/out/out")
    #expect(facts[.type] as? FileAttributeType == .typeDirectory)
  }

  @Test func stopsAtABomb() throws {
    let path = try archive("bomb.zip")
    var limits = PictureArchive.Limits()
    limits.slack = 1 << 20
    let bomb = #expect(throws: DataError.self) {
      _ = try PictureArchive(path, folder: "\(folder.path)/out", limits: limits)
        .unpack(jobs: 1) { _ in true }
    }
    #expect(bomb?.message.contains("unpack to more than 100 times as many") == true)
    limits.slack = 1 << 30
    limits.picture = 5_000_000
    let result = try PictureArchive(path, folder: "\(folder.path)/b", limits: limits)
      .unpack(jobs: 1) { _ in true }
    #expect(result.refused.map(\.reason) == ["unpacks to more than 4 MB"])
    limits.pictures = 2
    #expect(throws: DataError.self) {
      try PictureArchive(path, folder: "\(folder.path)/c", limits: limits).unpack(jobs: 1) { _ in
        true
      }
    }
  }

  @Test func joinsVolumesAndMissesOne() throws {
    let whole = try Fixture.table("hostile.zip")
    let third = whole.count / 3 + 1
    for piece in 0..<3 {
      let range = (piece * third)..<min((piece + 1) * third, whole.count)
      try folder.write(whole[range], to: "p.zip.00\(piece + 1)")
    }
    let path = "\(folder.path)/p.zip.001"
    let result = try PictureArchive(path, folder: "\(folder.path)/out").unpack(jobs: 2) { _ in true
    }
    #expect(result.pictures == 2)
    try FileManager.default.removeItem(atPath: "\(folder.path)/p.zip.002")
    let error = #expect(throws: DataError.self) {
      _ = try PictureArchive(path, folder: "\(folder.path)/o")
    }
    #expect(
      error?.message.contains("p.zip.002: this piece is missing; there are pieces up to 003")
        == true)
  }

  @Test func saysWhatIsWrongWithAnArchive() throws {
    let whole = try Fixture.table("hostile.tar.gz")
    try folder.write(whole.prefix(400), to: "cut.tar.gz")
    try folder.write("hello", to: "text.zip")
    for name in ["cut.tar.gz", "text.zip", "none.zip"] {
      #expect(throws: DataError.self) {
        try PictureArchive("\(folder.path)/\(name)", folder: "\(folder.path)/out")
          .unpack(jobs: 1) { _ in true }
      }
    }
    try folder.write("x", to: "split.zip")
    try folder.write("x", to: "split.z01")
    let error = #expect(throws: DataError.self) {
      _ = try PictureArchive("\(folder.path)/split.zip", folder: "x")
    }
    #expect(error?.message.contains("has to be joined first") == true)
  }
}
