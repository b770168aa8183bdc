#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// 256 bits that stay nearly the same when a picture is resized or compressed again.
///
/// The luminance is averaged to 64 x 64, transformed by a discrete cosine transform, and each of
/// the 16 x 16 lowest frequencies but the mean gives a bit: whether it is above their median (the
/// method of pHash, Zauner 2010, with 16 x 16 in place of 8 x 8 frequencies, because 64 bits
/// confuse different pictures in collections of a hundred thousand).
package struct PerceptualHash: Sendable, Equatable {
  package static let byteCount = 32
  private static let side = 64
  private static let kept = 16

  /// `byteCount` bytes.
  package let bytes: [UInt8]

  /// - Returns: Nil unless there are `byteCount` bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }

  /// - Returns: Nil for a picture without structure, whose bits would be noise.
  package init?(_ picture: Picture) {
    let grey = Self.grey(picture)
    let mean = grey.reduce(0, +) / Float(grey.count)
    let variance = grey.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(grey.count)
    guard variance > 4 else { return nil }
    let low = Self.lowFrequencies(grey)
    let sorted = low.dropFirst().sorted()
    let median = sorted[sorted.count / 2]
    var bytes = [UInt8](repeating: 0, count: Self.byteCount)
    for i in 1..<low.count where low[i] > median { bytes[i / 8] |= 1 << UInt8(i % 8) }
    self.bytes = bytes
  }

  /// Bits in which two hashes differ.
  package func distance(to other: PerceptualHash) -> Int {
    zip(bytes, other.bytes).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
  }

  /// 64 x 64 averages of the luminance.
  private static func grey(_ picture: Picture) -> [Float] {
    var sums = [Float](repeating: 0, count: side * side)
    picture.withBytes { pixels in
      for row in 0..<side {
        let top = row * picture.height / side
        let bottom = max(top + 1, (row + 1) * picture.height / side)
        for column in 0..<side {
          let left = column * picture.width / side
          let right = max(left + 1, (column + 1) * picture.width / side)
          var sum = 0
          for y in top..<min(bottom, picture.height) {
            var at = 3 * (y * picture.width + left)
            for _ in left..<min(right, picture.width) {
              sum += 299 * Int(pixels[at]) + 587 * Int(pixels[at + 1]) + 114 * Int(pixels[at + 2])
              at += 3
            }
          }
          sums[row * side + column] =
            Float(sum) / Float(1000 * (bottom - top) * (right - left))
        }
      }
    }
    return sums
  }

  /// cos(π (2 x + 1) u / 128) for the kept frequencies u and all x.
  private static let cosines: [Float] = (0..<kept).flatMap { u in
    (0..<side).map { x in Float(cos(Double.pi * Double(2 * x + 1) * Double(u) / 128)) }
  }

  private static func lowFrequencies(_ grey: [Float]) -> [Float] {
    var rows = [Float](repeating: 0, count: side * kept)
    for y in 0..<side {
      for u in 0..<kept {
        var sum: Float = 0
        for x in 0..<side { sum += grey[y * side + x] * cosines[u * side + x] }
        rows[y * kept + u] = sum
      }
    }
    var result = [Float](repeating: 0, count: kept * kept)
    for v in 0..<kept {
      for u in 0..<kept {
        var sum: Float = 0
        for y in 0..<side { sum += rows[y * kept + u] * cosines[v * side + y] }
        result[v * kept + u] = sum
      }
    }
    return result
  }
}
