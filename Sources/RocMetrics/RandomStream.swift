#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Random numbers that a seed and a stream's number decide, the same on every machine.
///
/// wyrand (Wang Yi, https://github.com/wangyi-fudan/wyhash): one multiplication a number, passes
/// BigCrush and PractRand.
package struct RandomStream: Sendable {
  private var state: UInt64

  /// - Parameters:
  ///   - seed: Of the whole analysis.
  ///   - stream: Of this piece of it: resamples drawn on several threads are the same as on one.
  package init(seed: UInt64, stream: Int = 0) {
    // Neighbouring seeds and streams must not give neighbouring sequences.
    state = Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
    state = Self.mixed(state ^ (UInt64(truncatingIfNeeded: stream) &* 0xD1B5_4A32_D192_ED03))
  }

  /// SplitMix64's finaliser.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 64 random bits.
  @inline(__always)
  package mutating func next() -> UInt64 {
    state &+= 0xA076_1D64_78BD_642F
    let (high, low) = state.multipliedFullWidth(by: state ^ 0xE703_7ED1_A0B4_28DB)
    return high ^ low
  }

  /// In 0..<1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A standard normal number (Box and Muller).
  package mutating func normal() -> Double {
    (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit())
  }

  /// Draws as many places as there are counters, with replacement, and counts each.
  package mutating func resample(into counts: inout [Int32]) {
    counts.withUnsafeMutableBufferPointer { counts in
      counts.update(repeating: 0)
      let size = UInt64(counts.count)
      // Two places from each 64 bits; for up to a million places the bias is below 1e-3 of a
      // resample's own noise.
      var left = counts.count
      while left > 1 {
        let bits = next()
        counts[Int(((bits & 0xFFFF_FFFF) &* size) >> 32)] &+= 1
        counts[Int(((bits >> 32) &* size) >> 32)] &+= 1
        left -= 2
      }
      if left == 1 { counts[Int(((next() >> 32) &* size) >> 32)] &+= 1 }
    }
  }
}
