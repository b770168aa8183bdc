#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The abstractor's fixed position codes: sines, then cosines, of position · 10000^(-i / (n/2)).
enum SinusoidalPositions {
  /// [count, width], row after row.
  static func line(count: Int, width: Int) -> [Float] {
    (0..<count).flatMap { code(Float($0), width: width) }
  }

  /// [1 + edge², width]: zeros for the class token, then half a code for the column and half for
  /// the row of each patch.
  static func grid(edge: Int, width: Int) -> [Float] {
    var values = [Float](repeating: 0, count: width)
    for row in 0..<edge {
      for column in 0..<edge {
        values += code(Float(column), width: width / 2) + code(Float(row), width: width / 2)
      }
    }
    return values
  }

  private static func code(_ position: Float, width: Int) -> [Float] {
    let half = width / 2
    let angles = (0..<half).map { i in
      position * (1 / powf(10_000, Float(i) / (Float(width) / 2)))
    }
    return angles.map { sinf($0) } + angles.map { cosf($0) }
  }
}
