import Foundation
import RocTensor
import RocTestSupport
import Testing

struct AttentionTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var queries: Int
    var keys: Int
    var heads: Int
    var keyHeads: Int
    var width: Int
    var firstVisible: Int?

    var testDescription: String {
      "\(queries) queries, \(keys) keys, \(heads)/\(keyHeads) heads of \(width)"
    }
  }

  static let shapes = [
    Shape(queries: 1, keys: 1, heads: 1, keyHeads: 1, width: 2),
    Shape(queries: 8, keys: 25, heads: 4, keyHeads: 4, width: 12),
    Shape(queries: 33, keys: 70, heads: 2, keyHeads: 2, width: 64),
    Shape(queries: 5, keys: 129, heads: 4, keyHeads: 2, width: 80),
    Shape(queries: 40, keys: 40, heads: 4, keyHeads: 1, width: 16, firstVisible: 1),
    Shape(queries: 3, keys: 66, heads: 2, keyHeads: 2, width: 128, firstVisible: 64),
  ]

  @Test(arguments: availableSets, shapes)
  func equalsTheFormulaInDouble(_ set: String, _ s: Shape) throws {
    #expect(try beyondBound(set, s, .f32, formula: .f32) == 0)
  }

  /// Rounding queries and keys moves weights so far here that a product in float32 does not pass.
  @Test(arguments: availableSets, shapes)
  func equalsTheFormulaOfRoundedFactorsInBF16(_ set: String, _ s: Shape) throws {
    #expect(try beyondBound(set, s, .bf16, formula: .bf16) == 0)
    // A single key has all the weight whatever its score.
    if s.keys > 1 { #expect(try beyondBound(set, s, .f32, formula: .bf16) > 0) }
  }

  /// How many results of attention in `precision` are further from the formula, with the factors
  /// of its own precision, than rounding explains.
  private func beyondBound(
    _ set: String, _ s: Shape, _ precision: Precision, formula: Precision
  ) throws -> Int {
    var count = 0
    let stretch: Float = formula == .bf16 ? 8 : 2
    let compute = try Compute(threads: 2, instructionSet: set)
    let q = numbers(s.queries * s.heads * s.width, seed: 1).map { $0 * stretch }
    let k = numbers(s.keys * s.keyHeads * s.width, seed: 2).map { $0 * stretch }
    let v = numbers(s.keys * s.keyHeads * s.width, seed: 3)
    let scale = 1 / Float(s.width).squareRoot()
    let found = attend(compute, s, q, k, v, scale, precision)
    func factor(_ value: Float) -> Double {
      formula == .bf16 ? ProductTests.bf16(value) : Double(value)
    }
    for query in 0..<s.queries {
      let visible = s.firstVisible.map { $0 + query } ?? s.keys
      for head in 0..<s.heads {
        let keyHead = head / (s.heads / s.keyHeads)
        let scores = (0..<visible).map { key in
          (0..<s.width).reduce(0.0) { sum, i in
            sum + factor(q[(query * s.heads + head) * s.width + i])
              * factor(k[(key * s.keyHeads + keyHead) * s.width + i])
          } * Double(scale)
        }
        let powers = scores.map { exp($0 - (scores.max() ?? 0)) }
        let sum = powers.reduce(0, +)
        for i in 0..<s.width {
          let exact = (0..<visible).reduce(0.0) { total, key in
            total + powers[key] / sum * factor(v[(key * s.keyHeads + keyHead) * s.width + i])
          }
          // The weights of the values, which sum to 1, are rounded to 8 bits: by 2^-8 of each.
          let rounding = formula == .bf16 ? 0x1p-8 * (v.map { Double(abs($0)) }.max() ?? 0) : 0
          let value = Double(found[(query * s.heads + head) * s.width + i])
          // Scores are up to stretch² √width with width u of error, which exp passes on.
          let bound = Double(s.width + s.keys + 16) * 0x1p-24 * Double(stretch * stretch)
          if !(abs(value - exact) <= bound + rounding) { count += 1 }
        }
      }
    }
    return count
  }

  private func attend(
    _ compute: Compute, _ s: Shape, _ q: [Float], _ k: [Float], _ v: [Float], _ scale: Float,
    _ precision: Precision = .f32
  ) -> [Float] {
    let query = compute.matrix(s.queries, s.heads * s.width, q)
    let key = compute.matrix(s.keys, s.keyHeads * s.width, k)
    let value = compute.matrix(s.keys, s.keyHeads * s.width, v)
    let output = compute.matrix(s.queries, s.heads * s.width)
    compute.attend(
      query, key, value,
      AttentionShape(
        queries: s.queries, keys: s.keys, heads: s.heads, keyHeads: s.keyHeads, width: s.width,
        scale: scale, firstVisible: s.firstVisible, precision: precision), into: output)
    return output.array
  }

  @Test(arguments: availableSets, [Precision.f32, .bf16])
  func givesACausalRowTheSameBitsAloneAndInABlock(_ set: String, _ precision: Precision) throws {
    let compute = try Compute(threads: 2, instructionSet: set)
    let whole = Shape(queries: 70, keys: 70, heads: 2, keyHeads: 2, width: 20, firstVisible: 1)
    let q = numbers(70 * 40, seed: 1)
    let k = numbers(70 * 40, seed: 2)
    let v = numbers(70 * 40, seed: 3)
    let all = attend(compute, whole, q, k, v, 0.2, precision)
    for row in [0, 1, 47, 48, 63, 64, 69] {
      let alone = Shape(
        queries: 1, keys: row + 1, heads: 2, keyHeads: 2, width: 20, firstVisible: row + 1)
      let one = attend(
        compute, alone, Array(q[row * 40..<(row + 1) * 40]), Array(k[..<((row + 1) * 40)]),
        Array(v[..<((row + 1) * 40)]), 0.2, precision)
      #expect(
        one.map(\.bitPattern) == all[row * 40..<(row + 1) * 40].map(\.bitPattern), "row \(row)")
    }
  }
}
