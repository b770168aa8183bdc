import CRocImage

/// BMP files: 1, 4 and 8 bits with palette, 16, 24 and 32 bits, top-down or bottom-up.
///
/// Run-length encoding and colour masks other than the three usual ones are refused by name.
extension Picture {
  static func decodeBMP(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(PictureError) -> Picture {
    let header = try BMPHeader(bytes, path: path)
    let picture = Picture(width: header.width, height: header.height)
    for y in 0..<header.height {
      let source = header.dataStart + (header.isTopDown ? y : header.height - 1 - y) * header.stride
      for x in 0..<header.width {
        let (red, green, blue) = header.color(bytes, row: source, x: x)
        let target = picture.pixels + (y * header.width + x) * 3
        target[0] = red
        target[1] = green
        target[2] = blue
      }
    }
    return picture
  }
}

/// What the header of a BMP file says, checked against the size of the file.
///
/// Layout: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
private struct BMPHeader {
  let width: Int
  let height: Int
  let isTopDown: Bool
  let bits: Int
  let dataStart: Int
  let stride: Int
  private let palette: [(UInt8, UInt8, UInt8)]
  /// 16 bits per pixel with 6 bits of green instead of 5.
  private let isGreen6: Bool

  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(PictureError) {
    func refuse(_ reason: String, _ code: PictureError.Code = .undecodable) -> PictureError {
      PictureError(code, path: path, reason: "broken BMP: \(reason)")
    }
    func u16(_ at: Int) -> Int {
      Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
    }
    func u32(_ at: Int) -> Int {
      Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }
    func i32(_ at: Int) -> Int { Int(Int32(truncatingIfNeeded: u32(at))) }

    let headerSize = u32(14)
    let isCore = headerSize == 12
    guard [12, 40, 52, 56, 64, 108, 124].contains(headerSize), 14 + headerSize <= bytes.count
    else { throw refuse("a header of \(headerSize) bytes, which no version of BMP has") }
    width = isCore ? u16(18) : i32(18)
    let signedHeight = isCore ? u16(20) : i32(22)
    isTopDown = signedHeight < 0
    height = abs(signedHeight)
    bits = isCore ? u16(24) : u16(28)
    let compression = isCore ? 0 : u32(30)
    guard width > 0, height > 0 else { throw refuse("a size of \(width) x \(signedHeight)") }
    guard width <= Int(ROC_MOST_PIXELS) / height else {
      throw refuse(
        "\(width) x \(height) pixels are more than the \(ROC_MOST_PIXELS) that are decoded",
        .tooLarge)
    }
    guard [1, 4, 8, 16, 24, 32].contains(bits) else { throw refuse("\(bits) bits a pixel") }
    guard compression == 0 || (compression == 3 && (bits == 16 || bits == 32)) else {
      throw refuse("compression \(compression) is not read, only uncompressed pixels are")
    }
    isGreen6 = compression == 3 && bits == 16 && 58 <= bytes.count && u32(58) == 0x07E0
    if compression == 3 {
      guard 66 <= bytes.count else { throw refuse("the colour masks are missing", .truncated) }
      let masks = [u32(54), u32(58), u32(62)]
      let known =
        bits == 16
        ? [[0x7C00, 0x3E0, 0x1F], [0xF800, 0x7E0, 0x1F]] : [[0xFF0000, 0xFF00, 0xFF]]
      guard known.contains(masks) else {
        throw refuse("colour masks \(masks.map { "0x" + String($0, radix: 16) })")
      }
    }
    palette = try Self.palette(bytes, headerSize: headerSize, bits: bits, refuse: refuse)
    // Masks follow a 40-byte header; a palette follows the header.
    let paletteSize = bits <= 8 ? (1 << bits) * (isCore ? 3 : 4) : 0
    let first = 14 + headerSize + (compression == 3 && headerSize == 40 ? 12 : 0)
    dataStart = u32(10) == 0 ? first + paletteSize : u32(10)
    guard dataStart >= first else {
      throw refuse("pixels at byte \(dataStart), inside the header of \(first) bytes")
    }
    stride = (width * bits + 31) / 32 * 4
    guard dataStart + stride * height <= bytes.count else {
      throw refuse(
        "\(dataStart + stride * height) bytes expected, \(bytes.count) found; the file is cut short",
        .truncated)
    }
  }

  private static func palette(
    _ bytes: UnsafeRawBufferPointer, headerSize: Int, bits: Int,
    refuse: (String, PictureError.Code) -> PictureError
  ) throws(PictureError) -> [(UInt8, UInt8, UInt8)] {
    guard bits <= 8 else { return [] }
    let entry = headerSize == 12 ? 3 : 4
    let declared =
      headerSize == 12
      ? 0 : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 46, as: UInt32.self)))
    let count = declared == 0 ? 1 << bits : min(declared, 1 << bits)
    let start = 14 + headerSize
    guard start + count * entry <= bytes.count else {
      throw refuse("the palette is cut short", .truncated)
    }
    let colors = (0..<count).map { i in
      let at = start + i * entry
      return (bytes[at + 2], bytes[at + 1], bytes[at])
    }
    // Indexes past the palette are black.
    return colors + Array(repeating: (0, 0, 0), count: (1 << bits) - count)
  }

  /// The colour of a pixel; channels of fewer than 8 bits are stretched to 0...255.
  func color(
    _ bytes: UnsafeRawBufferPointer, row: Int, x: Int
  ) -> (UInt8, UInt8, UInt8) {
    switch bits {
    case 24, 32:
      let at = row + x * bits / 8
      return (bytes[at + 2], bytes[at + 1], bytes[at])
    case 16:
      let value = Int(bytes[row + 2 * x]) | Int(bytes[row + 2 * x + 1]) << 8
      let green = isGreen6 ? ((value >> 5) & 63) * 255 / 63 : ((value >> 5) & 31) * 255 / 31
      let red = (isGreen6 ? value >> 11 : (value >> 10) & 31) * 255 / 31
      return (UInt8(red), UInt8(green), UInt8((value & 31) * 255 / 31))
    default:
      let perByte = 8 / bits
      let shift = 8 - bits * (x % perByte + 1)
      let index = Int(bytes[row + x / perByte] >> UInt8(shift)) & ((1 << bits) - 1)
      return palette[index]
    }
  }
}
