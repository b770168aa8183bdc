#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// cos and sin of position · theta^(-2i / width), computed in float32 as PyTorch does.
package struct RotaryTable: ~Copyable, Sendable {
  package let cosine: Matrix
  package let sine: Matrix

  /// - Parameters:
  ///   - positions: How many positions, from 0.
  ///   - width: Values of a head.
  ///   - theta: The base of the frequencies, 10000 in LLaMA-2.
  ///   - factor: Divides the frequencies: linear scaling, as transformers computes it.
  package init(positions: Int, width: Int, theta: Float, factor: Float = 1) {
    let half = width / 2
    let cosine = Matrix(rows: positions, columns: half)
    let sine = Matrix(rows: positions, columns: half)
    let frequencies = Self.frequencies(width: width, theta: theta).map { $0 / factor }
    for position in 0..<positions {
      for (i, frequency) in frequencies.enumerated() {
        let angle = Float(position) * frequency
        cosine.row(position)[i] = cosf(angle)
        sine.row(position)[i] = sinf(angle)
      }
    }
    self.cosine = cosine
    self.sine = sine
  }

  /// theta^(-2i / width) for i < width / 2, the official code's `inv_freq`.
  package static func frequencies(width: Int, theta: Float) -> [Float] {
    (0..<width / 2).map { 1 / powf(theta, Float(2 * $0) / Float(width)) }
  }

  private init(cosine: consuming Matrix, sine: consuming Matrix) {
    self.cosine = cosine
    self.sine = sine
  }

  /// Rotations the other way: the derivative of rotating.
  package var reversed: RotaryTable {
    let sine = sine.copy()
    for i in 0..<sine.count { sine.values[i] = -sine.values[i] }
    return RotaryTable(cosine: cosine.copy(), sine: sine)
  }
}
