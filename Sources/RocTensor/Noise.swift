import CRocKernels

/// A reproducible stream of nearly normal numbers with mean 0.
package struct Noise: Sendable {
  private let seed: UInt64
  private let deviation: Float

  /// - Parameters:
  ///   - seed: Names the stream, with `name`.
  ///   - name: Streams of different names are unrelated.
  ///   - deviation: Standard deviation.
  package init(seed: UInt64, name: String, deviation: Float) {
    // FNV-1a keeps a tensor's values the same whichever others a model has.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    self.seed = hash ^ (seed &* 0x9e37_79b9_7f4a_7c15)
    self.deviation = deviation
  }

  /// Fills `bytes` with values `first`… in a float format.
  package func fill(
    _ bytes: UnsafeMutableRawBufferPointer, from first: Int, as dtype: DType, _ compute: Compute
  ) {
    guard let start = bytes.baseAddress else { return }
    roc_fill_normal(
      compute.hostTeam, seed, UInt64(first), bytes.count / dtype.size, deviation, dtype.kernelType,
      start)
  }

  /// Values `first`..<`first + count` as float32.
  package func values(from first: Int, count: Int, _ compute: Compute) -> [Float] {
    guard count > 0 else { return [] }
    return Array(unsafeUninitializedCapacity: count) { buffer, filled in
      fill(UnsafeMutableRawBufferPointer(buffer), from: first, as: .f32, compute)
      filled = count
    }
  }
}
