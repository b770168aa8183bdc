import RocDigest
import RocImage
import RocJSON
import RocTestSupport
import Testing

/// Every test picture as Qwen2-VL and LLaVA-1.5 prepare it: the same bytes as Pillow's, and the same
/// floats as transformers'.
struct BackbonePreprocessingTests {
  private static func digest(_ bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { SHA256.of($0) }
  }

  private static func digest(_ values: [Float]) -> String {
    digest(
      values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
  }

  private static func rgb(_ picture: Picture) -> [UInt8] {
    Array(UnsafeBufferPointer(start: picture.pixels, count: 3 * picture.width * picture.height))
  }

  @Test func preparesForQwen2VL() throws {
    var compared = 0
    for item in try cases("qwen2_vl") {
      let limits = PixelLimits(
        factor: 28, least: try #require(item["min_pixels"]?.int),
        most: try #require(item["max_pixels"]?.int))
      let prepared = Preprocessing(size: 0, shape: .fit(limits))
      let (picture, path) = try picture(item)
      let resized = try prepared.resized(picture, path: path)
      #expect(resized.height == item["height"]?.int && resized.width == item["width"]?.int)
      #expect(Self.digest(Self.rgb(resized)) == item["resized_sha256"]?.string, "\(item.line)")
      compared += 1
    }
    #expect(compared == 93)
  }

  @Test func preparesForLLaVA() throws {
    var compared = 0
    for item in try cases("llava") {
      let edge = try #require(item["size"]?.int)
      let prepared = Preprocessing(
        size: edge, shape: item["padded"]?.bool == true ? .pad : .crop)
      let (picture, path) = try picture(item)
      let pixels = try prepared(picture, path: path)
      #expect(Self.digest(pixels.values) == item["pixels_sha256"]?.string, "\(item.line)")
      compared += 1
    }
    #expect(compared == 61)
  }

  private func cases(_ family: String) throws -> [JSON] {
    let golden = try Fixture.json(Fixture.backbone("preprocess.json"))
    return try #require(golden["cases"]?.array).filter { $0["family"]?.string == family }
  }

  private func picture(_ item: JSON) throws -> (Picture, String) {
    let path = Fixture.path("images/\(try #require(item["image"]?.string))")
    return (try Picture.read(path), path)
  }
}
