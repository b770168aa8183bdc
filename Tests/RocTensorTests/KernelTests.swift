import CRocKernels
import RocTensor
import RocTestSupport
import Testing

/// The instruction sets that this CPU runs; others are reported by `MissingKernels`.
let availableSets: [String] = (["portable", "avx2", "avx512"] as [String]).filter {
  roc_kernels_named($0) != nil
}

/// Numbers from -1 to 1 that are the same in every run.
func numbers(_ count: Int, seed: UInt32) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return Float(Int32(bitPattern: state)) / 2_147_483_648
  }
}

struct MissingKernels {
  @Test(arguments: ["avx2", "avx512"])
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

struct ProductTests {
  /// Sizes around the widths of tiles and panels.
  static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 64, 128), (2, 63, 127), (3, 65, 129), (4, 64, 1), (5, 15, 16), (6, 17, 31),
    (7, 128, 256), (13, 70, 300), (193, 66, 33), (200, 5, 9), (1, 200, 515),
  ]

  @Test(arguments: availableSets)
  func equalsTheSumInDouble(_ set: String) throws {
    let compute = try Compute(threads: 2, instructionSet: set)
    let kernels = try #require(roc_kernels_named(set))
    for (m, n, k) in Self.shapes {
      let a = numbers(m * k, seed: 1)
      let w = numbers(n * k, seed: 2)
      let bias = numbers(n, seed: 3)
      let packed = Matrix(rows: 1, columns: roc_packed_count(n, k))
      let team = try #require(roc_team_create(2))
      defer { roc_team_destroy(team) }
      roc_pack(team, w, ROC_F32, n, k, packed.values)
      // A margin of NaN shows any write or read beyond the result.
      let stride = n + 3
      var c = [Float](repeating: .nan, count: m * stride + 5)
      roc_linear(team, kernels, a, k, m, packed.values, n, k, bias, &c, stride)
      for row in 0..<m {
        for column in 0..<n {
          var exact = Double(bias[column])
          var magnitude = abs(exact)
          for p in 0..<k {
            let term = Double(a[row * k + p]) * Double(w[column * k + p])
            exact += term
            magnitude += abs(term)
          }
          // Recursive summation of k + 1 terms: error <= (k + 1) u · sum |terms|, u = 2^-24.
          let bound = Double(k + 2) * 0x1p-24 * magnitude
          let found = Double(c[row * stride + column])
          #expect(abs(found - exact) <= bound, "\(set) \(m)x\(n)x\(k) at \(row),\(column)")
        }
        #expect(c[row * stride + n..<(row + 1) * stride].allSatisfy { $0.isNaN })
      }
      #expect(c.suffix(5).allSatisfy { $0.isNaN })
    }
    #expect(compute.instructionSet == set)
  }

  @Test(arguments: availableSets)
  func givesARowTheSameBitsInAnyCompany(_ set: String) throws {
    let kernels = try #require(roc_kernels_named(set))
    let (m, n, k) = (400, 130, 301)
    let a = numbers(m * k, seed: 4)
    let w = numbers(n * k, seed: 5)
    let one = try #require(roc_team_create(1))
    let two = try #require(roc_team_create(2))
    defer {
      roc_team_destroy(one)
      roc_team_destroy(two)
    }
    let packed = Matrix(rows: 1, columns: roc_packed_count(n, k))
    roc_pack(one, w, ROC_F32, n, k, packed.values)
    var whole = [Float](repeating: 0, count: m * n)
    roc_linear(two, kernels, a, k, m, packed.values, n, k, nil, &whole, n)
    for rows in [1, 2, 3, 4, 5, 6, 7, 191, 193] {
      var part = [Float](repeating: 0, count: rows * n)
      let start = 200 - rows / 2
      a.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        roc_linear(
          one, kernels, base + start * k, k, rows, packed.values, n, k, nil, &part, n)
      }
      let expected = whole[start * n..<(start + rows) * n]
      #expect(part.map(\.bitPattern) == expected.map(\.bitPattern), "\(set), \(rows) rows")
    }
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
