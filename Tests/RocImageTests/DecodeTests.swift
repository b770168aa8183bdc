import Foundation
import RocDigest
import RocImage
import RocJSON
import RocTestSupport
import Testing

struct DecodeTests {
  static let names =
    ((try? Fixture.json("images/images.json"))?.members ?? []).map(\.name).sorted()

  @Test func coversEveryPictureMode() { #expect(Self.names.count == 31) }

  @Test(arguments: names)
  func givesTheBytesOfPillow(_ name: String) throws {
    let golden = try #require(try Fixture.json("images/images.json")[name])
    let picture = try Picture.read(Fixture.path("images/\(name)"))
    #expect(picture.width == golden["width"]?.int)
    #expect(picture.height == golden["height"]?.int)
    #expect(picture.withBytes { SHA256.of($0) } == golden["rgb_sha256"]?.string)
  }

  @Test(.enabled(if: Fixture.external != nil, "\(Fixture.externalReason)"))
  func givesTheBytesOfPillowForCameraPictures() throws {
    let folder = try #require(Fixture.external) + "/photos"
    let photos = try #require(try Fixture.json("\(folder)/photos.json")["photos"]?.array)
    #expect(photos.count == 4)
    for photo in photos {
      let picture = try Picture.read("\(folder)/\(photo["image"]?.string ?? "")")
      #expect(picture.withBytes { SHA256.of($0) } == photo["rgb_sha256"]?.string)
    }
  }

  @Test func readsBackWhatItWrites() throws {
    let picture = Picture(width: 5, height: 3, red: 10, green: 200, blue: 30)
    picture.pixels[7] = 99
    let png = try picture.png().withUnsafeBytes { try Picture.decode($0, path: "x.png") }
    #expect(png.withBytes { Array($0) } == picture.withBytes { Array($0) })
    let jpeg = try picture.jpeg(quality: 95).withUnsafeBytes {
      try Picture.decode($0, path: "x.jpg")
    }
    #expect(jpeg.width == 5 && jpeg.height == 3)
  }

  @Test func saysWhatIsWrongWithAFile() throws {
    let folder = try TemporaryFolder()
    func refusal(_ path: String) -> PictureError? {
      #expect(throws: PictureError.self) { _ = try Picture.read(path) }
    }
    let missing = refusal("\(folder.path)/none.jpg")
    #expect(missing?.code == .missing)
    let empty = refusal(try folder.write("", to: "empty.jpg"))
    #expect(empty?.code == .empty)
    #expect(empty?.description.hasSuffix("empty.jpg: the file is empty (0 bytes)") == true)
    let text = refusal(try folder.write("hello\nworld", to: "text.jpg"))
    #expect(text?.code == .notAPicture)
    #expect(
      text?.reason
        == "not a JPEG, PNG, WebP or BMP picture: it starts with the text \"hello…\"")
    #expect(refusal(folder.path)?.reason == "is a folder, expected a file")
  }

  @Test(arguments: [
    "baseline420_113x77.jpg", "progressive_200x150.jpg", "rgb_64x64.png", "webp_72x54.webp",
    "bmp_37x29.bmp",
  ])
  func callsHalfAPictureCutShort(_ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/\(name)")))
    let error = #expect(throws: PictureError.self) {
      try data.prefix(data.count / 2).withUnsafeBytes { try Picture.decode($0, path: name) }
    }
    #expect(error?.code == .truncated, "\(error?.description ?? "")")
  }

  /// Damaged files end in pixels or in an error, whatever byte is hit.
  @Test(arguments: [
    "baseline422_101x50.jpg", "palette_trns_60x44.png", "gray16_48x36.png", "webp_72x54.webp",
    "bmp_37x29.bmp", "cmyk_90x70.jpg",
  ])
  func survivesDamageAnywhere(_ name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/\(name)")))
    var failures = 0
    for position in stride(from: 0, to: whole.count, by: max(1, whole.count / 300)) {
      var damaged = whole
      damaged[position] ^= 0x5A
      do {
        let picture = try damaged.withUnsafeBytes { try Picture.decode($0, path: name) }
        #expect(picture.byteCount == picture.width * picture.height * 3)
      } catch {
        failures += 1
        let reason = (error as? PictureError)?.reason ?? ""
        #expect(!reason.isEmpty)
      }
    }
    #expect(failures > 0)
  }

  @Test func refusesANamedPipe() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/pipe.jpg"
    #expect(mkfifo(path, 0o600) == 0)
    let error = #expect(throws: PictureError.self) { _ = try Picture.read(path) }
    #expect(error?.reason == "is not a regular file")
  }

  @Test func readsAPNGWhoseEndIsLost() throws {
    let name = "rgb_64x64.png"
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/\(name)")))
    let picture = try data.dropLast(12).withUnsafeBytes { try Picture.decode($0, path: name) }
    let whole = try Picture.read(Fixture.path("images/\(name)"))
    #expect(picture.withBytes { Array($0) } == whole.withBytes { Array($0) })
  }

  @Test func refusesBitmapsItWouldMisread() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/bmp_37x29.bmp")))
    func refusal(_ change: (inout Data) -> Void) -> String? {
      var copy = data
      change(&copy)
      let error = #expect(throws: PictureError.self) {
        _ = try copy.withUnsafeBytes { try Picture.decode($0, path: "x.bmp") }
      }
      return error?.reason
    }
    #expect(refusal { $0[10] = 20 }?.contains("inside the header") == true)
    #expect(refusal { $0[14] = 44 }?.contains("which no version of BMP has") == true)
    #expect(refusal { $0[30] = 1 }?.contains("only uncompressed pixels are") == true)
    // An offset of 0 means the byte after the header.
    var zero = data
    zero[10] = 0
    let picture = try zero.withUnsafeBytes { try Picture.decode($0, path: "x.bmp") }
    let whole = try Picture.read(Fixture.path("images/bmp_37x29.bmp"))
    #expect(picture.withBytes { Array($0) } == whole.withBytes { Array($0) })
  }

  @Test func refusesSizesThatAreOnlyClaimed() throws {
    let folder = try TemporaryFolder()
    var bmp = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/bmp_37x29.bmp")))
    bmp.replaceSubrange(18..<26, with: [0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F])
    let path = try folder.write(bmp, to: "large.bmp")
    let error = #expect(throws: PictureError.self) { try Picture.read(path) }
    #expect(error?.code == .tooLarge)
  }
}
