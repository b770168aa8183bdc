extension PictureFormat {
  /// The endings that file names of this format have.
  package var endings: [String] {
    switch self {
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
    case .png: ["png"]
    case .webp: ["webp"]
    case .bmp: ["bmp", "dib"]
    }
  }

  /// Whether a file name's ending is one of another format; a name without a known ending says
  /// nothing.
  package func contradicts(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    let ending = String(name[name.utf8.index(after: dot)...]).lowercased()
    let isKnown =
      PictureFormat.allCases.contains { $0.endings.contains(ending) }
      || ["gif", "tif", "tiff", "heic", "avif"].contains(ending)
    return isKnown && !endings.contains(ending)
  }

  /// Whether a file is a PNG of 16-bit grey: values above 255 become white, as in Pillow's
  /// `convert("RGB")`, so that most such pictures are nothing but white.
  ///
  /// - Parameter bytes: At least the first 26 bytes of the file.
  /// - Returns: False for a file of another kind.
  package static func isGrey16(_ bytes: UnsafeRawBufferPointer) -> Bool {
    PictureFormat(bytes) == .png && bytes.count >= 26 && bytes[12..<16].elementsEqual("IHDR".utf8)
      && bytes[24] == 16 && bytes[25] == 0
  }

  /// Whether a file holds more than one frame: an animated WebP, or a PNG with an acTL chunk.
  package static func isAnimated(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch PictureFormat(bytes) {
    case .webp:
      // A VP8X chunk comes first; its second flag is animation (WebP container specification).
      return bytes.count > 20 && bytes[12..<16].elementsEqual("VP8X".utf8) && bytes[20] & 2 != 0
    case .png:
      var position = 8
      while position + 8 <= bytes.count {
        let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        let kind = bytes[(position + 4)..<(position + 8)]
        if kind.elementsEqual("acTL".utf8) { return true }
        if kind.elementsEqual("IDAT".utf8) { return false }
        position += 12 + length
      }
      return false
    default: return false
    }
  }
}
