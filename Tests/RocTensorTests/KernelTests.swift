import CRocKernels
import Foundation
import RocTensor
import RocTestSupport
import Testing

/// The instruction sets of our own kernels that this CPU runs; others are reported by
/// `MissingKernels`.
let availableSets = Compute.instructionSets.filter { roc_kernels_named($0) != nil }

/// Numbers from -1 to 1 that are the same in every run.
func numbers(_ count: Int, seed: UInt32) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return Float(Int32(bitPattern: state)) / 2_147_483_648
  }
}

struct MissingKernels {
  @Test(arguments: ["avx2", "avx512", "avx512vnni", "avx512bf16"])
  func saysWhichSetsTheCPULacks(_ name: String) {
    if !availableSets.contains(name) {
      print("skipped: this CPU has no \(name); its kernels were not tested")
    }
    #expect(roc_kernels_known(name) == (isX86 ? 1 : 0))
    #expect(roc_kernels_named("none") == nil)
  }

  private var isX86: Bool {
    #if arch(x86_64)
    true
    #else
    false
    #endif
  }
}

/// Products in every format by every set against sums in double.
struct ProductTests {
  /// Sizes around the widths of tiles and panels.
  static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 64, 128), (2, 63, 127), (3, 65, 129), (4, 64, 1), (5, 15, 16), (6, 17, 31),
    (7, 128, 256), (13, 70, 300), (193, 66, 33), (200, 5, 9), (1, 200, 515),
    (2, 2100, 70), (7, 70, 1100),
  ]
  static let formats = [ROC_F32, ROC_BF16, ROC_INT8]
  static let finishes = [ROC_STORE, ROC_ADD, ROC_QUICK_GELU, ROC_SILU_GATE, ROC_GELU]

  /// One product and everything it needs.
  struct Case {
    let m: Int
    let n: Int
    let k: Int
    let a: [Float]
    let w: [Float]
    let bias: [Float]

    init(_ shape: (m: Int, n: Int, k: Int)) {
      (m, n, k) = shape
      a = numbers(m * k, seed: 1)
      w = numbers(n * k, seed: 2)
      bias = numbers(n, seed: 3)
    }

    /// Another's sizes and weights with inputs of its own.
    init(_ other: Case, inputs: [Float], weights: [Float]? = nil, bias: [Float]? = nil) {
      (m, n, k) = (other.m, other.n, other.k)
      a = inputs
      w = weights ?? other.w
      self.bias = bias ?? other.bias
    }
  }

  /// Runs a product over rows of NaN margins; `before` is what c holds before.
  static func run(
    _ set: String, _ format: roc_dtype, _ finish: roc_finish, _ item: Case, rows: Range<Int>? = nil,
    threads: Int = 2, before: Float = 0
  ) throws -> [Float] {
    let kernels = try #require(roc_kernels_named(set))
    let team = try #require(roc_team_create(threads))
    defer { roc_team_destroy(team) }
    let (n, k) = (item.n, item.k)
    let rows = rows ?? 0..<item.m
    let packed = UnsafeMutableRawPointer.allocate(
      byteCount: roc_packed_bytes(format, n, k), alignment: 64)
    defer { packed.deallocate() }
    packed.initializeMemory(as: UInt8.self, repeating: 0xFF, count: roc_packed_bytes(format, n, k))
    #expect(roc_pack(team, item.w, ROC_F32, n, k, format, packed) == 1)
    // A margin of NaN shows any write or read beyond the result.
    let stride = n + 3
    var c = [Float](repeating: .nan, count: rows.count * stride + 5)
    for row in 0..<rows.count { for column in 0..<n { c[row * stride + column] = before } }
    let scratchBytes = roc_product_scratch(kernels, format, rows.count, k)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchBytes + 64, alignment: 64)
    defer { scratch.deallocate() }
    scratch.initializeMemory(as: UInt8.self, repeating: 0xFF, count: scratchBytes + 64)
    try item.a.withUnsafeBufferPointer { a in
      let start = try #require(a.baseAddress) + rows.lowerBound * k
      try item.bias.withUnsafeBufferPointer { bias in
        try c.withUnsafeMutableBufferPointer { c in
          var product = roc_product(
            a: start, lda: k, m: rows.count, packed: packed, format: format, n: n, k: k,
            bias: bias.baseAddress, finish: finish, c: try #require(c.baseAddress), ldc: stride)
          roc_linear(team, kernels, &product, scratch)
        }
      }
    }
    for row in 0..<rows.count {
      #expect(c[row * stride + n..<(row + 1) * stride].allSatisfy { $0.isNaN })
    }
    #expect(c.suffix(5).allSatisfy { $0.isNaN })
    return (0..<rows.count).flatMap { c[$0 * stride..<$0 * stride + n] }
  }

  static func bf16(_ value: Float) -> Double {
    let bits = value.bitPattern
    return Double(Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000))
  }

  /// The sum in double, and how far a format may be from it.
  ///
  /// float32 and bf16 (of rounded factors): summation of k + 1 terms errs by at most
  /// (k + 1) u · sum |terms|, u = 2^-24. 8 bits: each factor is off by half a step, a step being a
  /// 127th of the largest of its row.
  static func exact(
    _ format: roc_dtype, _ item: Case, _ row: Int, _ column: Int, largest: Float? = nil
  ) -> (value: Double, bound: Double) {
    let (k, w) = (item.k, item.w)
    let x = item.a[row * k..<(row + 1) * k]
    let weights = w[column * k..<(column + 1) * k]
    func step(_ values: ArraySlice<Float>) -> Double {
      Double(values.map(abs).max() ?? 0) / 127
    }
    let xStep = largest.map { Double($0) / 127 } ?? step(x)
    let wStep = step(weights)
    var exact = Double(item.bias[column])
    var magnitude = abs(exact)
    var rounding = 0.0
    for (a, b) in zip(x, weights) {
      let term = format == ROC_BF16 ? bf16(a) * bf16(b) : Double(a) * Double(b)
      exact += term
      magnitude += abs(term)
      rounding += abs(Double(a)) * wStep / 2 + abs(Double(b)) * xStep / 2 + xStep * wStep / 4
    }
    let bound = Double(k + 3) * 0x1p-24 * magnitude + 1e-30
    return (exact, format == ROC_INT8 ? bound * 2 + rounding * 1.0001 : bound)
  }

  @Test(arguments: availableSets, formats)
  func equalsTheSumInDouble(_ set: String, _ format: roc_dtype) throws {
    for shape in Self.shapes {
      let item = Case(shape)
      let found = try Self.run(set, format, ROC_STORE, item)
      for row in 0..<item.m {
        for column in 0..<item.n {
          let (exact, bound) = Self.exact(format, item, row, column)
          #expect(
            abs(Double(found[row * item.n + column]) - exact) <= bound,
            "\(set) \(format) \(shape) at \(row),\(column)")
        }
      }
    }
  }

  @Test(arguments: availableSets, finishes)
  func finishesProducts(_ set: String, _ finish: roc_finish) throws {
    for shape in [(m: 1, n: 1, k: 3), (m: 7, n: 67, k: 40), (m: 195, n: 20, k: 5)] {
      let item = Case(shape)
      let before: Float = 1.25
      let found = try Self.run(set, ROC_F32, finish, item, before: before)
      let gate = Double(before) / (1 + exp(-Double(before)))
      for row in 0..<item.m {
        for column in 0..<item.n {
          let (v, bound) = Self.exact(ROC_F32, item, row, column)
          let expected =
            switch finish {
            case ROC_ADD: Double(before) + v
            case ROC_QUICK_GELU: v / (1 + exp(-1.702 * v))
            case ROC_SILU_GATE: gate * v
            case ROC_GELU: v * erfc(-v / 2.0.squareRoot()) / 2
            default: v
            }
          // No derivative here exceeds 1.2; a few roundings of the function itself are added.
          let limit = 1.2 * bound + 40 * 0x1p-24 * max(abs(expected), 1e-3)
          #expect(
            abs(Double(found[row * item.n + column]) - expected) <= limit,
            "\(set) \(finish) \(shape) at \(row),\(column)")
        }
      }
    }
  }

  @Test(arguments: availableSets, formats)
  func givesARowTheSameBitsInAnyCompany(_ set: String, _ format: roc_dtype) throws {
    // More inputs than a block of any format and set holds.
    let item = Case((m: 400, n: 130, k: 1100))
    let whole = try Self.run(set, format, ROC_STORE, item)
    for rows in [1, 2, 3, 4, 5, 6, 7, 191, 193] {
      let start = 200 - rows / 2
      let part = try Self.run(
        set, format, ROC_STORE, item, rows: start..<start + rows, threads: 1)
      let expected = whole[start * item.n..<(start + rows) * item.n]
      #expect(
        part.map(\.bitPattern) == expected.map(\.bitPattern), "\(set) \(format), \(rows) rows")
    }
  }

  /// Activations as LLaMA has them: a few inputs hundreds of times the rest.
  @Test(arguments: availableSets)
  func keepsTheOthersExactBesideOutliers(_ set: String) throws {
    let plain = Case((m: 9, n: 70, k: 1000))
    var a = plain.a
    let outliers = [3: Float(900), 517: -2500, 999: 400]
    for row in [0, 4, 8] {
      for (index, value) in outliers { a[row * 1000 + index] = value }
    }
    let item = Case(plain, inputs: a)
    let found = try Self.run(set, ROC_INT8, ROC_STORE, item)
    for row in 0..<item.m {
      for column in 0..<item.n {
        // The rest is at most 1; the outliers must not widen its steps.
        var (exact, bound) = Self.exact(ROC_INT8, item, row, column, largest: 1)
        let weights = item.w[column * 1000..<(column + 1) * 1000]
        let step = Double(weights.map(abs).max() ?? 0) / 127
        if [0, 4, 8].contains(row) {
          bound -= outliers.values.reduce(0) { $0 + abs(Double($1)) * step / 2 }
          // Outliers are exact; what is left is their weights' rounding.
          for (index, value) in outliers {
            let weight = Double(weights[weights.startIndex + index])
            let rounded = (weight / step).rounded() * step
            exact += Double(value) * (rounded - weight)
          }
          bound += 1e-3
        }
        #expect(
          abs(Double(found[row * item.n + column]) - exact) <= bound, "\(set) \(row),\(column)")
      }
    }
  }

  @Test(arguments: availableSets, formats)
  func passesOnWhatIsNoNumber(_ set: String, _ format: roc_dtype) throws {
    let plain = Case((m: 3, n: 65, k: 70))
    for value in [Float.nan, .infinity] {
      var a = plain.a
      a[70 + 33] = value
      let item = Case(plain, inputs: a)
      let found = try Self.run(set, format, ROC_STORE, item)
      #expect(found[65..<130].allSatisfy { !$0.isFinite })
      #expect(found[..<65].allSatisfy(\.isFinite) && found[130...].allSatisfy(\.isFinite))
    }
  }

  @Test(arguments: availableSets, formats)
  func rowsOfZerosGiveTheBias(_ set: String, _ format: roc_dtype) throws {
    let plain = Case((m: 2, n: 66, k: 37))
    let item = Case(plain, inputs: [Float](repeating: 0, count: 2 * 37))
    let found = try Self.run(set, format, ROC_STORE, item)
    #expect(found == item.bias + item.bias)
  }

  @Test(arguments: formats)
  func refusesWeightsThatAreNoNumbers(_ format: roc_dtype) throws {
    let team = try #require(roc_team_create(2))
    defer { roc_team_destroy(team) }
    for value in [Float.nan, -.infinity] {
      var w = numbers(130 * 9, seed: 5)
      w[129 * 9 + 4] = value
      var packed = [UInt8](repeating: 0, count: roc_packed_bytes(format, 130, 9))
      #expect(roc_pack(team, w, ROC_F32, 130, 9, format, &packed) == 0)
      #expect(roc_all_finite(team, w, ROC_F32, w.count) == 0)
      #expect(roc_all_finite(team, w, ROC_F32, 129 * 9) == 1)
    }
  }

  @Test func narrowsToTheNearestHalf() {
    let values: [Float] = [
      0, -0, 1, -2.5, 65504, 65519.9, 65520, 1e9, 6.1e-5, 5.97e-8, 2.9e-8, 3.1e-8, 1.0004883,
      1.0014648, .infinity, 3.3999e38, 0x1p-133,
    ]
    var half = [UInt16](repeating: 0, count: values.count)
    roc_narrow(values, ROC_F16, values.count, &half)
    #expect(half == values.map { Float16($0).bitPattern })
    var brain = [UInt16](repeating: 0, count: values.count)
    roc_narrow(values, ROC_BF16, values.count, &brain)
    #expect(
      brain.map { Float(bitPattern: UInt32($0) << 16) }
        == values.map { $0 == 3.3999e38 ? .infinity : Float(Self.bf16($0)) })
    var nan = [UInt16](repeating: 0, count: 1)
    roc_narrow([.nan], ROC_BF16, 1, &nan)
    #expect(Float(bitPattern: UInt32(nan[0]) << 16).isNaN)
  }

  @Test func packsHalfPrecisionExactly() {
    let halves: [UInt16] = [
      0x0000, 0x8000, 0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x83FF, 0x7C00, 0xFC00, 0x7E00,
    ]
    var wide = [Float](repeating: 0, count: halves.count)
    halves.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      roc_widen(base, ROC_F16, halves.count, &wide)
    }
    let expected = halves.map { Float(Float16(bitPattern: $0)) }
    #expect(wide.dropLast().map(\.bitPattern) == expected.dropLast().map(\.bitPattern))
    #expect(wide.last?.isNaN == true)

    let brains: [UInt16] = [0x3F80, 0xBF80, 0x0001, 0x7F80]
    var widened = [Float](repeating: 0, count: brains.count)
    brains.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      roc_widen(base, ROC_BF16, brains.count, &widened)
    }
    #expect(widened.map(\.bitPattern) == brains.map { UInt32($0) << 16 })
  }
}
