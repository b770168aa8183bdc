#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Figure {
  /// Sine and cosine of a spoke's angle, the first one upright.
  static func direction(_ place: Int, of count: Int) -> (sine: Double, cosine: Double) {
    let angle = 2 * Double.pi * Double(place) / Double(count)
    return (sin(angle), cos(angle))
  }
}
