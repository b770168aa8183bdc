import RocImage
import RocTestSupport
import Testing

struct PerceptualHashTests {
  @Test func staysWhenAPictureIsResizedAndCompressed() throws {
    for seed in 1...8 {
      let large = try #require(PerceptualHash(MadeUpPicture.scene(seed, width: 640, height: 480)))
      let small = try #require(PerceptualHash(MadeUpPicture.scene(seed, width: 300, height: 225)))
      let jpeg = MadeUpPicture.scene(seed, width: 640, height: 480).jpeg(quality: 40)
      let compressed = try jpeg.withUnsafeBytes { try Picture.decode($0, path: "x.jpg") }
      let again = try #require(PerceptualHash(compressed))
      #expect(large.distance(to: small) <= 15, "\(large.distance(to: small))")
      #expect(large.distance(to: again) <= 15, "\(large.distance(to: again))")
      let other = try #require(
        PerceptualHash(MadeUpPicture.scene(seed + 100, width: 640, height: 480)))
      #expect(large.distance(to: other) > 60)
    }
  }

  @Test func hasNoneForAnEmptyPicture() {
    #expect(PerceptualHash(Picture(width: 40, height: 30, red: 9, green: 9, blue: 9)) == nil)
    #expect(PerceptualHash(bytes: [1, 2]) == nil)
  }

  @Test func readsFormatsAndAnimation() {
    #expect(PictureFormat.jpeg.contradicts("a.PNG") && !PictureFormat.jpeg.contradicts("a.JPEG"))
    #expect(!PictureFormat.jpeg.contradicts("a") && !PictureFormat.jpeg.contradicts("a.b"))
    #expect(PictureFormat.png.contradicts("x.gif"))
    func animated(_ bytes: [UInt8]) -> Bool {
      bytes.withUnsafeBytes { PictureFormat.isAnimated($0) }
    }
    let webp = Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBPVP8X".utf8) + [10, 0, 0, 0]
    #expect(animated(webp + [2, 0, 0, 0, 0]) && !animated(webp + [0, 0, 0, 0, 0]))
    let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    #expect(animated(png + [0, 0, 0, 0] + Array("acTL".utf8)))
    #expect(!animated(png + [0, 0, 0, 0] + Array("IDAT".utf8)))
    #expect(!animated(png + [255, 255, 255, 255] + Array("tEXt".utf8)))
  }
}
