import CRocKernels
import Foundation
import RocTestSupport
import Testing

@testable import RocTensor

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

  /// The functions of a finished product, by way of a product with the weight 1.
  @Test(arguments: availableSets)
  func activationsOfExtremes(_ set: String) throws {
    let values: [Float] = [-1e30, -200, -100, -12, -1e-3, 0, 1e-3, 12, 100, 200, 1e30]
    let one = ProductTests.Case((m: values.count, n: 1, k: 1))
    let item = ProductTests.Case(one, inputs: values, weights: [1], bias: [0])
    let gelu = try ProductTests.run(set, ROC_F32, ROC_QUICK_GELU, item)
    for (x, found) in zip(values, gelu) {
      let exact = Double(x) / (1 + exp(-1.702 * Double(x)))
      // exp is clamped, so a sigmoid never falls below 6e-39.
      let bound = 40 * 0x1p-23 * max(abs(exact), 1e-3) + abs(Double(x)) * 1e-38
      #expect(abs(Double(found) - exact) <= bound, "\(set) \(x)")
    }
    let exactGELU = try ProductTests.run(set, ROC_F32, ROC_GELU, item)
    for (x, found) in zip(values, exactGELU) {
      let exact = Double(x) * erfc(-Double(x) / 2.0.squareRoot()) / 2
      #expect(abs(Double(found) - exact) <= 4 * 0x1p-23 * max(abs(exact), 1), "\(set) \(x)")
    }
    for gate in [Float(-1e30), -100, 0, 3, 1e30] {
      let found = try ProductTests.run(set, ROC_F32, ROC_SILU_GATE, item, before: gate)
      #expect(found.allSatisfy { !$0.isNaN }, "\(set) gate \(gate)")
    }
  }

  @Test(arguments: availableSets)
  func rotatesRows(_ set: String) throws {
    let compute = try Compute(threads: 2, instructionSet: set)
    let x = compute.matrix(19, 24, numbers(19 * 24, seed: 1))
    let table = RotaryTable(positions: 30, width: 6, theta: 10_000, compute)
    let turned = x.copy()
    compute.rotate(turned, heads: 4, positions: table, first: 5)
    for row in 0..<19 {
      for i in 0..<3 {
        let angle = Double(row + 5) * pow(10_000, -Double(2 * i) / 6)
        let (a, b) = (Double(x.row(row)[6 + i]), Double(x.row(row)[9 + i]))
        #expect(abs(Double(turned.row(row)[6 + i]) - (a * cos(angle) - b * sin(angle))) < 1e-5)
        #expect(abs(Double(turned.row(row)[9 + i]) - (b * cos(angle) + a * sin(angle))) < 1e-5)
      }
    }
  }
}
