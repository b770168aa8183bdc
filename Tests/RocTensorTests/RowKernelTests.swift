import CRocKernels
import Foundation
import RocTensor
import RocTestSupport
import Testing

/// Every row operation of every set against the same formula in double.
struct RowKernelTests {
  /// Around every vector width.
  static let lengths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1025]

  @Test(arguments: availableSets)
  func softmaxOfAnyLength(_ set: String) throws {
    let kernels = try #require(roc_kernels_named(set)).pointee
    for n in Self.lengths {
      for scale in [Float(1), 0.125, 30] {
        let x = numbers(n, seed: UInt32(n))
        var found = x + [.nan]
        kernels.softmax(&found, n, scale)
        let largest = x.map { Double($0) * Double(scale) }.max() ?? 0
        let powers = x.map { exp(Double($0) * Double(scale) - largest) }
        let sum = powers.reduce(0, +)
        for i in 0..<n {
          // exp is good to 2 ulp; the argument's rounding adds |argument| ulps.
          let bound = (8 + 2 * Double(scale) + Double(n) / 16) * 0x1p-23 * powers[i] / sum + 1e-37
          #expect(abs(Double(found[i]) - powers[i] / sum) <= bound, "\(set) n \(n) at \(i)")
        }
        #expect(found[n].isNaN)
      }
    }
  }

  @Test(arguments: availableSets)
  func softmaxKeepsNotANumber(_ set: String) throws {
    let kernels = try #require(roc_kernels_named(set)).pointee
    var values: [Float] = [0, .nan, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    kernels.softmax(&values, values.count, 1)
    #expect(values.allSatisfy { $0.isNaN })
  }

  @Test(arguments: availableSets)
  func normsOfAnyLength(_ set: String) throws {
    let kernels = try #require(roc_kernels_named(set)).pointee
    for n in Self.lengths {
      let x = numbers(n, seed: 11).map { $0 * 3 + 0.5 }
      let weight = numbers(n, seed: 12)
      let bias = numbers(n, seed: 13)
      let wide = x.map(Double.init)
      let mean = wide.reduce(0, +) / Double(n)
      let variance = wide.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
      let square = wide.reduce(0) { $0 + $1 * $1 } / Double(n)
      var layer = [Float](repeating: .nan, count: n + 1)
      var rms = layer
      kernels.layer_norm(x, weight, bias, 1e-5, n, &layer)
      kernels.rms_norm(x, weight, 1e-5, n, &rms)
      for i in 0..<n {
        let normal = (wide[i] - mean) / (variance + 1e-5).squareRoot()
        let first = normal * Double(weight[i]) + Double(bias[i])
        let second = wide[i] / (square + 1e-5).squareRoot() * Double(weight[i])
        // For n = 1 the variance is 0 and the difference from the mean is rounding over √eps.
        let bound = Double(n + 8) * 0x1p-23 * (abs(normal) + 4 / (variance + 1e-5).squareRoot() + 1)
        #expect(abs(Double(layer[i]) - first) <= bound, "\(set) LayerNorm n \(n)")
        #expect(abs(Double(rms[i]) - second) <= bound, "\(set) RMSNorm n \(n)")
      }
      #expect(layer[n].isNaN && rms[n].isNaN)
    }
  }

  @Test(arguments: availableSets)
  func activationsOfAnyLength(_ set: String) throws {
    let kernels = try #require(roc_kernels_named(set)).pointee
    for n in Self.lengths {
      let x = numbers(n, seed: 21).map { $0 * 12 }
      let up = numbers(n, seed: 22)
      var silu = x + [.nan]
      var gelu = x + [.nan]
      var sum = x + [.nan]
      kernels.silu_multiply(&silu, up, n)
      kernels.quick_gelu(&gelu, n)
      kernels.add(&sum, up, n)
      for i in 0..<n {
        let v = Double(x[i])
        let first = v / (1 + exp(-v)) * Double(up[i])
        let second = v / (1 + exp(-1.702 * v))
        let bound = 40 * 0x1p-23 * max(abs(v), 1e-3)
        #expect(abs(Double(silu[i]) - first) <= bound, "\(set) SiLU of \(v)")
        #expect(abs(Double(gelu[i]) - second) <= bound, "\(set) quick-GELU of \(v)")
        #expect(sum[i] == x[i] + up[i])
      }
      #expect(silu[n].isNaN && gelu[n].isNaN && sum[n].isNaN)
    }
  }

  @Test(arguments: availableSets)
  func activationsOfExtremes(_ set: String) throws {
    let kernels = try #require(roc_kernels_named(set)).pointee
    var gelu: [Float] = [-1e30, -200, -100, 0, 100, 200, 1e30]
    kernels.quick_gelu(&gelu, gelu.count)
    #expect(gelu.allSatisfy { !$0.isNaN })
    #expect(gelu[3] == 0 && gelu[4] == 100 && gelu[6] == 1e30)
    #expect(abs(gelu[1]) < 1e-30 && abs(gelu[2]) < 1e-30)
  }
}
