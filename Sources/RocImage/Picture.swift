import CRocImage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// RGB pixels, 8 bits per channel, row by row.
@safe
package final class Picture: @unchecked Sendable {
  package let width: Int
  package let height: Int
  /// height · width · 3 bytes.
  package let pixels: UnsafeMutablePointer<UInt8>

  /// Takes over memory that `malloc` gave.
  init(adopting pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
    self.pixels = pixels
    self.width = width
    self.height = height
  }

  /// A picture of one colour.
  package init(width: Int, height: Int, red: UInt8 = 0, green: UInt8 = 0, blue: UInt8 = 0) {
    precondition(width > 0 && height > 0, "a picture of \(width) x \(height)")
    self.width = width
    self.height = height
    guard let memory = malloc(width * height * 3) else {
      preconditionFailure("no memory for a picture of \(width) x \(height)")
    }
    pixels = memory.bindMemory(to: UInt8.self, capacity: width * height * 3)
    if red == green, green == blue {
      memset(pixels, Int32(red), width * height * 3)
    } else {
      for i in 0..<width * height {
        pixels[3 * i] = red
        pixels[3 * i + 1] = green
        pixels[3 * i + 2] = blue
      }
    }
  }

  deinit { free(pixels) }

  package var byteCount: Int { width * height * 3 }

  /// Lends the pixels as bytes.
  package func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    defer { extendLifetime(self) }
    return body(UnsafeRawBufferPointer(start: pixels, count: byteCount))
  }

  /// The picture as a PNG file.
  package func png() -> [UInt8] {
    encoded { bytes, count in roc_encode_png(pixels, width, height, bytes, count) }
  }

  /// The picture as a baseline JPEG file with 4:2:0 chroma.
  package func jpeg(quality: Int) -> [UInt8] {
    encoded { bytes, count in
      roc_encode_jpeg(pixels, width, height, Int32(quality), bytes, count)
    }
  }

  private func encoded(
    _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>) ->
      Int32
  ) -> [UInt8] {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    guard encode(&bytes, &count) == 1, let bytes else {
      preconditionFailure("no memory to encode a picture of \(width) x \(height)")
    }
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
