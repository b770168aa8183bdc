import RocImage
import RocJSON
import RocTestSupport
import Testing

/// Qwen2-VL's `smart_resize` against transformers'.
struct PixelLimitsTests {
  @Test func sizesAreThoseOfTransformers() throws {
    let golden = try Fixture.json(Fixture.backbone("smart_resize.json"))
    let cases = try #require(golden["cases"]?.array)
    #expect(cases.count == 185)
    for item in cases {
      func number(_ name: String) throws -> Int { try #require(item[name]?.int) }
      let limits = PixelLimits(
        factor: 28, least: try number("min_pixels"), most: try number("max_pixels"))
      let found = limits.size(width: try number("width"), height: try number("height"))
      let expected = item["result"]?.array?.compactMap(\.int)
      #expect(found.map { [$0.height, $0.width] } == expected, "\(item.line)")
    }
  }
}
