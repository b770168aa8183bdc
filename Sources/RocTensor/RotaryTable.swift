#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// cos and sin of position · theta^(-2i / width), computed in float32 as PyTorch does.
package struct RotaryTable: ~Copyable, Sendable {
  let cosine: Matrix
  let sine: Matrix
  private let compute: Compute

  /// How many positions there are.
  package var count: Int { cosine.rows }

  /// - Parameters:
  ///   - positions: How many positions, from 0.
  ///   - width: Values of a head.
  ///   - theta: The base of the frequencies, 10000 in LLaMA-2.
  ///   - factor: Divides the frequencies: linear scaling, as transformers computes it.
  ///   - compute: Where the table is kept.
  package init(
    positions: Int, width: Int, theta: Float, factor: Float = 1, _ compute: Compute
  ) {
    let half = width / 2
    var cosine = [Float](repeating: 0, count: positions * half)
    var sine = cosine
    let frequencies = Self.frequencies(width: width, theta: theta).map { $0 / factor }
    for position in 0..<positions {
      for (i, frequency) in frequencies.enumerated() {
        let angle = Float(position) * frequency
        cosine[position * half + i] = cosf(angle)
        sine[position * half + i] = sinf(angle)
      }
    }
    self.init(
      cosine: compute.matrix(positions, half, cosine), sine: compute.matrix(positions, half, sine),
      compute)
  }

  /// A row of angles for each row of a sequence whose positions have several axes, as those of a
  /// picture's rows do.
  ///
  /// - Parameters:
  ///   - positions: The position of each row on each axis.
  ///   - frequencies: Of each pair of a head.
  ///   - axes: Which axis each pair is turned by; as many as frequencies.
  ///   - compute: Where the table is kept.
  package init(
    positions: [[Int]], frequencies: [Float], axes: [Int], _ compute: Compute
  ) {
    precondition(frequencies.count == axes.count, "\(axes.count) axes of \(frequencies.count)")
    let half = frequencies.count
    var cosine = [Float](repeating: 0, count: positions.count * half)
    var sine = cosine
    for (row, place) in positions.enumerated() {
      for i in 0..<half {
        let angle = Float(place[axes[i]]) * frequencies[i]
        cosine[row * half + i] = cosf(angle)
        sine[row * half + i] = sinf(angle)
      }
    }
    self.init(
      cosine: compute.matrix(positions.count, half, cosine),
      sine: compute.matrix(positions.count, half, sine), compute)
  }

  /// theta^(-2i / width) for i < width / 2, the official code's `inv_freq`.
  package static func frequencies(width: Int, theta: Float) -> [Float] {
    (0..<width / 2).map { 1 / powf(theta, Float(2 * $0) / Float(width)) }
  }

  private init(cosine: consuming Matrix, sine: consuming Matrix, _ compute: Compute) {
    self.cosine = cosine
    self.sine = sine
    self.compute = compute
  }

  /// Rotations the other way: the derivative of rotating.
  package var reversed: RotaryTable {
    let sine = sine.copy()
    compute.scale(sine, by: -1)
    return RotaryTable(cosine: cosine.copy(), sine: sine, compute)
  }
}
