import CRocKernels
import RocTestSupport
import Testing

@testable import RocTensor

/// The derivatives of products against sums in double.
struct LinearGradientTests {
  typealias Case = ProductTests.Case

  static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (3, 63, 65), (6, 64, 128), (7, 65, 129), (13, 70, 31), (200, 5, 17), (2, 70, 515),
    (3, 200, 130),
  ]
  static let precisions = Precision.allCases

  /// The weights as packed panels hold them, in row order.
  static func unpacked(_ packed: PackedWeights) -> [Float] {
    let (n, k) = (packed.outputs, packed.inputs)
    let bytes = packed.precision.packedBytes(outputs: 64, inputs: k)
    return packed.withPanels { panels in
      (0..<n * k).map { index in
        let (output, input) = (index / k, index % k)
        let start = output / 64 * bytes
        let column = output % 64
        switch packed.precision {
        case .f32:
          return panels.load(fromByteOffset: start + (input * 64 + column) * 4, as: Float.self)
        case .bf16:
          let place = (input / 2 * 64 + column) * 4 + input % 2 * 2
          let half = panels.load(fromByteOffset: start + place, as: UInt16.self)
          return Float(bitPattern: UInt32(half) << 16)
        case .int8:
          let place = (input / 4 * 64 + column) * 4 + input % 4
          let scales = start + (k + 3) / 4 * 4 * 64
          let scale = panels.load(fromByteOffset: scales + column * 4, as: Float.self)
          return Float(panels.load(fromByteOffset: start + place, as: Int8.self)) * scale
        }
      }
    }
  }

  static func pack(
    _ item: Case, _ precision: Precision, _ compute: Compute, trained: Bool = false
  ) throws -> PackedWeights {
    let raw = try #require(RawWeights(copying: item.w, rows: item.n, columns: item.k, "weights"))
    let packed =
      trained
      ? PackedWeights(training: raw, precision: precision, compute: compute)
      : PackedWeights(raw, precision: precision, compute: compute)
    return try #require(packed)
  }

  /// dy · W, added to `before` or, when that is nil, written over NaN.
  static func inputGradient(
    _ compute: Compute, _ packed: PackedWeights, _ dy: [Float], before: [Float]?
  ) -> [Float] {
    let (n, k) = (packed.outputs, packed.inputs)
    let gradient = PaddedRows(dy, rows: dy.count / n, columns: n, margin: 2)
    let dx = PaddedRows(before, rows: gradient.rows, columns: k)
    let scratch = PaddedRows(
      rows: compute.threads, columns: roc_input_gradient_scratch(n), margin: 0)
    packed.withPanels { panels in
      guard let start = panels.baseAddress else { return }
      var job = roc_input_gradient(
        dy: gradient.values, ldy: gradient.stride, m: gradient.rows, packed: start,
        format: packed.precision.kernelType, n: n, k: k, dx: dx.values, ldx: dx.stride,
        adds: before == nil ? 0 : 1)
      roc_linear_input_gradient(compute.cpu.team, compute.cpu.kernels, &job, scratch.values)
    }
    #expect(gradient.isIntact && dx.isIntact && scratch.isIntact)
    return dx.array
  }

  @Test(arguments: precisions)
  func ofTheInputIsTheSumOverOutputs(_ precision: Precision) throws {
    for shape in Self.shapes {
      let item = Case(shape)
      let packed = try Self.pack(item, precision, try Compute(threads: 2))
      let weights = Self.unpacked(packed)
      expectRounded(weights, of: item, precision)
      let dy = numbers(item.m * item.n, seed: 4)
      let sums = (0..<item.m * item.k).map { index in
        let (row, input) = (index / item.k, index % item.k)
        var sum = ExactSum()
        for output in 0..<item.n {
          sum.add(Double(dy[row * item.n + output]) * Double(weights[output * item.k + input]))
        }
        return sum
      }
      for before in [nil, numbers(item.m * item.k, seed: 5)] {
        let exact = sums.enumerated().map { index, sum in
          var sum = sum
          sum.add(Double(before?[index] ?? 0))
          return (sum.value, sum.bound)
        }
        for set in availableSets {
          let what = "\(set) \(precision) \(shape) added: \(before != nil)"
          let found = try onAnyTeam(set, what) {
            Self.inputGradient($0, packed, dy, before: before)
          }
          expectWithin(found, exact, what)
        }
      }
    }
  }

  /// The backward pass uses the weights of the forward pass: these are the rounded ones.
  private func expectRounded(_ weights: [Float], of item: Case, _ precision: Precision) {
    switch precision {
    case .f32: #expect(weights == item.w)
    case .bf16: #expect(weights.map(Double.init) == item.w.map(ProductTests.bf16))
    case .int8:
      let exact = (0..<item.n * item.k).map { index in
        let row = item.w[index / item.k * item.k..<(index / item.k + 1) * item.k]
        return (Double(item.w[index]), Double(row.map(abs).max() ?? 0) / 127 * 0.50001)
      }
      expectWithin(weights, exact, "8-bit weights")
    }
  }

  @Test(arguments: availableSets)
  func ofTheWeightsIsTheSumOverRows(_ set: String) throws {
    for shape in Self.shapes {
      let item = Case(shape)
      let (m, n, k) = shape
      let dy = numbers(m * n, seed: 4)
      let before = numbers(n * k, seed: 6)
      let exact = (0..<n * k).map { index in
        var sum = ExactSum(before[index])
        for row in 0..<m {
          sum.add(Double(dy[row * n + index / k]) * Double(item.a[row * k + index % k]))
        }
        return (sum.value, sum.bound)
      }
      let found = try onAnyTeam(set, "\(shape)") { compute in
        let gradient = PaddedRows(dy, rows: m, columns: n, margin: 2)
        let x = PaddedRows(item.a, rows: m, columns: k)
        let scratch = PaddedRows(
          rows: 1, columns: roc_weight_gradient_scratch(compute.threads, m, k), margin: 0)
        let sums = Parameter(outputs: n, inputs: k)
        sums.replace(with: before, compute)
        var job = roc_weight_gradient(
          dy: gradient.values, ldy: gradient.stride, m: m, x: x.values, ldx: x.stride, n: n, k: k,
          panels: sums.values)
        roc_linear_weight_gradient(compute.cpu.team, compute.cpu.kernels, &job, scratch.values)
        #expect(gradient.isIntact && x.isIntact && scratch.isIntact)
        expectEmptyPadding(sums.values, outputs: n, inputs: k, "\(set) \(shape)")
        return sums.array(compute)
      }
      expectWithin(found, exact, "\(set) \(shape)")
    }
  }

  /// Two layers over the rows of one matrix, as text and picture have weights of their own.
  @Test(arguments: availableSets, precisions)
  func rowsMayBelongToSeveralLayers(_ set: String, _ precision: Precision) throws {
    let item = Case((m: 13, n: 70, k: 67))
    let other = Case(item, inputs: item.a, weights: numbers(70 * 67, seed: 9))
    let ranges = [0..<5, 5..<13]
    let dy = numbers(13 * 70, seed: 4)
    let found = try onAnyTeam(set) { compute in
      let x = compute.matrix(13, 67, item.a)
      let gradient = compute.matrix(13, 70, dy)
      let dx = compute.matrix(13, 67, [Float](repeating: .nan, count: 13 * 67))
      var results: [Float] = []
      for (range, part) in zip(ranges, [item, other]) {
        let bias = Parameter(part.bias)
        bias.train()
        let packed = try Self.pack(part, precision, compute, trained: precision != .int8)
        packed.parameter?.train()
        let layer = Linear(packed, bias: bias)
        layer.backward(gradient, rows: range, of: x, at: range.lowerBound, into: dx, compute)
        layer.backward(gradient, rows: 3..<3, of: x, at: 0, into: dx, compute)
        let rows = dx.array[range.lowerBound * 67..<range.upperBound * 67]
        let whole = Self.inputGradient(compute, packed, dy, before: nil)
        let expected = whole[range.lowerBound * 67..<range.upperBound * 67]
        expectSameBits(rows, expected, "\(set) rows \(range)")
        if range.lowerBound == 0 {
          #expect(dx.array[5 * 67..<13 * 67].allSatisfy { $0.isNaN })
        } else {
          // Rows of dy at another place of x, added.
          layer.inputGradient(gradient, rows: range, into: dx, at: 0, adds: true, compute)
        }
        results += try #require(bias.gradientArray(compute))
        results += packed.parameter?.gradientArray(compute) ?? []
      }
      return results + dx.array
    }
    // Biases and weights of both layers, then dx of the last eight rows twice.
    var exact: [(Double, Double)] = []
    for range in ranges {
      for output in 0..<70 {
        var sum = ExactSum()
        for row in range { sum.add(Double(dy[row * 70 + output])) }
        exact.append((sum.value, sum.bound))
      }
      for index in 0..<(precision == .int8 ? 0 : 70 * 67) {
        var sum = ExactSum()
        for row in range {
          sum.add(Double(dy[row * 70 + index / 67]) * Double(item.a[row * 67 + index % 67]))
        }
        exact.append((sum.value, sum.bound))
      }
    }
    let compute = try Compute(threads: 1)
    let weights = [item, other].map { try? Self.unpacked(Self.pack($0, precision, compute)) }
    for index in 0..<13 * 67 {
      let (row, input) = (index / 67, index % 67)
      var sum = ExactSum()
      for (source, part) in [(row, row < 5 ? 0 : 1), (row + 5, 1)] where source < 13 {
        for output in 0..<70 {
          let weight = try #require(weights[part])[output * 67 + input]
          sum.add(Double(dy[source * 70 + output]) * Double(weight))
        }
      }
      exact.append((sum.value, sum.bound))
    }
    expectWithin(found, exact, "\(set) \(precision)")
  }
}

/// Expects zeros where panels hold no output.
func expectEmptyPadding(
  _ panels: UnsafePointer<Float>, outputs: Int, inputs: Int, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let padding = (outputs..<(outputs + 63) / 64 * 64).flatMap { output in
    (0..<inputs).map { panels[(output / 64 * inputs + $0) * 64 + output % 64] }
  }
  #expect(
    padding.allSatisfy { $0.bitPattern == 0 }, "\(what): padding", sourceLocation: sourceLocation)
}
