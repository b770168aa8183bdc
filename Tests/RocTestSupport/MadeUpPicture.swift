package import RocImage

/// Pictures with structure at all sizes, as photos have it.
package enum MadeUpPicture {
  /// A made-up scene of overlapping soft shapes.
  package static func scene(_ seed: Int, width: Int, height: Int) -> Picture {
    let picture = Picture(width: width, height: height)
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 24)
    }
    let shapes = (0..<12).map { _ in
      (random(), random(), 0.05 + 0.3 * random(), 200 * random() - 60)
    }
    for y in 0..<height {
      for x in 0..<width {
        var value = 60.0
        for (cx, cy, size, light) in shapes {
          let dx = Double(x) / Double(width) - cx
          let dy = Double(y) / Double(height) - cy
          if dx * dx + dy * dy < size * size { value += light }
        }
        let grey = UInt8(min(max(value, 0), 255))
        for channel in 0..<3 { picture.pixels[3 * (y * width + x) + channel] = grey }
      }
    }
    return picture
  }
}
