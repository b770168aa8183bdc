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
      expectNear(pixels.array, tensor.widened, 1e-6, tensor.name)
    }
  }

  @Test func padsWithTheMeanColourTowardsTopAndLeft() {
    let picture = Picture(width: 4, height: 1, red: 1, green: 2, blue: 3)
    let square = picture.paddedToSquare(color: Preprocessing(size: 4).barColor)
    #expect(square.width == 4 && square.height == 4)
    let rows = square.withBytes { Array($0) }
    #expect(Array(rows[0..<3]) == [122, 116, 104])
    #expect(Array(rows[12..<15]) == [1, 2, 3])
    #expect(Array(rows[24..<27]) == [122, 116, 104])
  }

  @Test func refusesASquareThatWouldNotFitMemory() {
    let thin = Picture(width: 100_000, height: 1)
    let error = #expect(throws: PictureError.self) {
      _ = try Preprocessing(size: 56)(thin, path: "thin.png")
    }
    #expect(error?.code == .tooLarge)
  }
}
