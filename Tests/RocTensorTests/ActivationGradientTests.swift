import CRocKernels
import Foundation
import RocTestSupport
import Testing

@testable import RocTensor

/// Quick-GELU and the SiLU gate: their derivatives, and that a recorded pass equals a scoring one.
struct ActivationGradientTests {
  /// Values where the functions bend, and where they are straight.
  private static func inputs(_ n: Int, seed: UInt32) -> [Float] {
    let extremes: [Float] = [-200, -90, -30, -1e-4, 0, 1e-4, 30, 90, 200]
    return numbers(n, seed: seed).enumerated().map { i, value in
      i % 5 == 4 ? extremes[i / 5 % extremes.count] : value * 6
    }
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// The derivative of x · sigmoid(factor · x) by finite differences, and what float32 may be off
  /// by: a sigmoid s errs by a few ulp and by the rounding of its argument.
  private static func slope(_ x: Float, factor: Double) -> (value: Double, bound: Double) {
    let wide = Double(x)
    let value = derivative([wide], 0) { $0[0] * sigmoid(factor * $0[0]) }
    let s = sigmoid(factor * wide)
    let unit = (16 + 2 * abs(wide)) * 0x1p-23
    return (value, unit * (s + factor * abs(wide) * s) + 1e-9)
  }

  @Test func quickGELUOfAnyLength() throws {
    for n in RowKernelTests.lengths {
      let x = Self.inputs(n, seed: 51)
      let dy = numbers(n, seed: 52)
      let exact = zip(x, dy).map { x, dy in
        let slope = Self.slope(x, factor: 1.702)
        return (Double(dy) * slope.value, abs(Double(dy)) * slope.bound)
      }
      for set in availableSets {
        let kernels = try #require(roc_kernels_named(set)).pointee
        var found = dy + [.nan]
        kernels.quick_gelu_gradient(x + [.nan], &found, n)
        #expect(found[n].isNaN)
        expectWithin(Array(found[..<n]), exact, "\(set) n \(n)")
      }
    }
  }

  /// Against the error function of the C library, in double.
  @Test func geluOfAnyLength() throws {
    for n in RowKernelTests.lengths {
      let x = Self.inputs(n, seed: 59)
      let dy = numbers(n, seed: 60)
      let share = x.map { erfc(-Double($0) / 2.0.squareRoot()) / 2 }
      let forward = zip(x, share).map { x, share in
        (Double(x) * share, 4 * 0x1p-23 * max(abs(Double(x)), 1))
      }
      let backward = (0..<n).map { i in
        let wide = Double(x[i])
        let slope = share[i] + wide * exp(-wide * wide / 2) / (2 * Double.pi).squareRoot()
        return (Double(dy[i]) * slope, abs(Double(dy[i])) * 16 * 0x1p-23)
      }
      for set in availableSets {
        let kernels = try #require(roc_kernels_named(set)).pointee
        var (found, gradient) = (x + [.nan], dy + [.nan])
        kernels.gelu(x + [.nan], n, &found)
        kernels.gelu_gradient(x + [.nan], &gradient, n)
        #expect(found[n].isNaN && gradient[n].isNaN)
        expectWithin(Array(found[..<n]), forward, "\(set) n \(n)")
        expectWithin(Array(gradient[..<n]), backward, "\(set) n \(n), gradient")
      }
    }
  }

  @Test func siluGateOfAnyLength() throws {
    for n in RowKernelTests.lengths {
      let gate = Self.inputs(n, seed: 53)
      let up = numbers(n, seed: 54).map { $0 * 3 }
      let dy = numbers(n, seed: 55)
      let byGate = (0..<n).map { i in
        let slope = Self.slope(gate[i], factor: 1)
        let factor = Double(dy[i]) * Double(up[i])
        return (factor * slope.value, abs(factor) * slope.bound)
      }
      let byUp = (0..<n).map { i in
        let wide = Double(gate[i])
        let value = Double(dy[i]) * wide * Self.sigmoid(wide)
        return (value, (16 + 2 * abs(wide)) * 0x1p-23 * abs(value) + 1e-35)
      }
      for set in availableSets {
        let kernels = try #require(roc_kernels_named(set)).pointee
        var (dGate, dUp) = (gate + [.nan], up + [.nan])
        kernels.silu_gate_gradient(&dGate, &dUp, dy + [.nan], n)
        #expect(dGate[n].isNaN && dUp[n].isNaN)
        expectWithin(Array(dGate[..<n]), byGate, "\(set) n \(n), gate")
        expectWithin(Array(dUp[..<n]), byUp, "\(set) n \(n), up")
      }
    }
  }

  /// More values than one thread takes at a time: each has the bits that it has alone.
  @Test(arguments: availableSets)
  func longRunsAreSplit(_ set: String) throws {
    let count = 2 * 16_384 + 19
    let x = Self.inputs(count, seed: 56)
    let up = Self.inputs(count, seed: 57)
    let dy = numbers(count, seed: 58)
    let kernels = try #require(roc_kernels_named(set)).pointee
    let found = try onAnyTeam(set) { compute in
      let gradient = compute.matrix(1, count, dy)
      let gate = compute.matrix(1, count, x)
      let factor = compute.matrix(1, count, up)
      let forward = compute.quickGELU(gate).array + compute.siluGate(gate, factor).array
      compute.siluGateGradient(gradient, of: gate, factor)
      compute.quickGELUGradient(gradient, of: compute.matrix(1, count, x))
      return forward + gradient.array + gate.array + factor.array
    }
    for first in [0, 16_384, 32_768] {
      let rest = min(16_384, count - first)
      func part(_ values: [Float]) -> [Float] { Array(values[first..<first + rest]) }
      var (gelu, gated, gradient) = (part(dy), part(dy), part(dy))
      var (gate, factor) = (part(x), part(up))
      kernels.quick_gelu(part(x), rest, &gelu)
      kernels.silu_gate(part(x), part(up), rest, &gated)
      kernels.silu_gate_gradient(&gate, &factor, part(dy), rest)
      kernels.quick_gelu_gradient(part(x), &gradient, rest)
      for (i, expected) in [gelu, gated, gradient, gate, factor].enumerated() {
        let start = i * count + first
        expectSameBits(found[start..<start + rest], expected, "\(set) result \(i) from \(first)")
      }
    }
  }

  /// A recorded pass keeps what goes into a function; a scoring one applies it to a product's end.
  @Test(arguments: availableSets, Precision.allCases)
  func recordedPassesHaveTheBitsOfScoring(_ set: String, _ precision: Precision) throws {
    for shape in [(m: 1, n: 1, k: 3), (m: 7, n: 67, k: 40), (m: 195, n: 130, k: 33)] {
      let (m, n, k) = shape
      let first = ProductTests.Case(shape)
      let second = ProductTests.Case(first, inputs: first.a, weights: numbers(n * k, seed: 8))
      for threads in 1...2 {
        let compute = try Compute(threads: threads, instructionSet: set)
        let x = compute.matrix(m, k, first.a.map { $0 * 4 })
        let bias = Parameter(first.bias)
        let layer = Linear(
          try LinearGradientTests.pack(first, precision, compute), bias: bias)
        let other = Linear(
          try LinearGradientTests.pack(second, precision, compute), bias: nil)
        let fused = layer(x, finish: .quickGELU, compute)
        let recorded = compute.quickGELU(layer(x, compute))
        expectSameBits(fused.array, recorded.array, "\(shape)")
        expectSameBits(
          layer(x, finish: .gelu, compute).array, compute.gelu(layer(x, compute)).array, "\(shape)")
        let gate = layer(x, compute)
        let gated = compute.siluGate(gate, other(x, compute))
        other.apply(x, into: gate, finish: .siluGate, compute)
        expectSameBits(gate.array, gated.array, "\(shape)")
      }
    }
  }
}
