import RocCheckpoint
import RocImage
import RocJSON
import RocTensor
import RocTestSupport
import Testing

struct ResizeTests {
  @Test func equalsPillowByteForByte() throws {
    let cases = try #require(try Fixture.json("resize/resize.json").array)
    #expect(cases.count == 22)
    for item in cases {
      let source = try #require(item["source"]?.string)
      let result = try #require(item["result"]?.string)
      let filter: Preprocessing.Filter =
        switch item["filter"]?.string {
        case "bilinear": .bilinear
        case "lanczos": .lanczos
        default: .bicubic
        }
      let resized = try Picture.read(Fixture.path("images/\(source)")).resized(
        width: item["width"]?.int ?? 0, height: item["height"]?.int ?? 0, filter: filter)
      let expected = try Picture.read(Fixture.path("resize/\(result)"))
      #expect(resized.width == expected.width && resized.height == expected.height)
      #expect(resized.withBytes { Array($0) } == expected.withBytes { Array($0) }, "\(result)")
    }
  }

  @Test func normalisesLikeTheOfficialProcessor() throws {
    let golden = try SafetensorsFile(path: Fixture.path("preprocess/pixels.safetensors"))
    #expect(golden.tensors.count == 51)
    for tensor in golden.tensors {
      let name = try #require(tensor.name.split(separator: "/").first.map(String.init))
      let shape: Preprocessing.Shape = tensor.name.hasSuffix("/pad") ? .pad : .crop
      let prepare = Preprocessing(size: 56, shape: shape)
      let pixels = try prepare(try Picture.read(Fixture.path("images/\(name)")), path: name)
      expectNear(pixels.values, tensor.widened, 1e-6, tensor.name)
    }
  }

  @Test func padsWithTheMeanColourTowardsTopAndLeft() {
    let picture = Picture(width: 4, height: 1, red: 1, green: 2, blue: 3)
    let square = picture.resizedAsSquare(
      size: 4, bar: Preprocessing(size: 4).barColor, filter: .bicubic)
    #expect(square.width == 4 && square.height == 4)
    let rows = square.withBytes { Array($0) }
    #expect(Array(rows[0..<3]) == [122, 116, 104])
    #expect(Array(rows[12..<15]) == [1, 2, 3])
    #expect(Array(rows[24..<27]) == [122, 116, 104])
  }

  @Test func preparesPicturesWhoseSquareWouldNotFitMemory() throws {
    let thin = Picture(width: 100_000, height: 1)
    let pixels = try Preprocessing(size: 56)(thin, path: "thin.png")
    #expect(pixels.values.count == 3 * 56 * 56)
    let error = #expect(throws: PictureError.self) {
      _ = try Preprocessing(size: 56, shape: .crop)(thin, path: "thin.png")
    }
    #expect(error?.code == .tooLarge)
  }

  @Test(arguments: [(40, 9), (9, 40), (56, 20), (20, 56), (30, 30), (57, 1), (1, 111)])
  func resizesTheSquareAsIfItWereThere(_ width: Int, _ height: Int) {
    let picture = Picture(width: width, height: height)
    for i in 0..<picture.byteCount { picture.pixels[i] = UInt8(truncatingIfNeeded: i * 37 + i / 7) }
    let edge = max(width, height)
    let square = Picture(width: edge, height: edge, red: 122, green: 116, blue: 104)
    let top = (edge - height) / 2
    let left = (edge - width) / 2
    for y in 0..<height {
      for i in 0..<width * 3 {
        square.pixels[((top + y) * edge + left) * 3 + i] = picture.pixels[y * width * 3 + i]
      }
    }
    for size in [56, 7] {
      let expected = square.resized(width: size, height: size, filter: .bicubic)
      let found = picture.resizedAsSquare(size: size, bar: (122, 116, 104), filter: .bicubic)
      #expect(found.withBytes { Array($0) } == expected.withBytes { Array($0) })
    }
  }
}
