import Foundation
import RocTensor
import RocTestSupport
import Testing

/// The gradients of attention against the formula in double, which finite differences confirm.
struct AttentionGradientTests {
  typealias Shape = AttentionTests.Shape

  static let shapes =
    AttentionTests.shapes + [
      // Only the last rows are read; several query heads share a key head; heads wider than a
      // panel, whose first queries do not see all keys.
      Shape(queries: 3, keys: 40, heads: 6, keyHeads: 2, width: 20, firstVisible: 38),
      Shape(queries: 34, keys: 100, heads: 2, keyHeads: 1, width: 66, firstVisible: 67),
      Shape(queries: 36, keys: 36, heads: 1, keyHeads: 1, width: 128, firstVisible: 1),
      Shape(queries: 65, keys: 3, heads: 2, keyHeads: 2, width: 12),
    ]

  /// Queries, keys, values and the result's gradient of a shape, in double and in row order.
  struct Case {
    let shape: Shape
    let hidden: [UInt8]
    let scale: Double
    var q: [Double]
    var k: [Double]
    var v: [Double]
    let dy: [Double]

    init(_ s: Shape, hides: Bool) {
      shape = s
      hidden = hides ? (0..<s.keys).map { $0 % 5 == 3 ? 1 : 0 } : []
      scale = Double(1 / Float(s.width).squareRoot())
      q = numbers(s.queries * s.heads * s.width, seed: 1).map { Double($0) * 2 }
      k = numbers(s.keys * s.keyHeads * s.width, seed: 2).map { Double($0) * 2 }
      v = numbers(s.keys * s.keyHeads * s.width, seed: 3).map(Double.init)
      dy = numbers(s.queries * s.heads * s.width, seed: 4).map(Double.init)
    }

    func head(_ values: [Double], _ row: Int, _ head: Int, of heads: Int) -> ArraySlice<Double> {
      let start = (row * heads + head) * shape.width
      return values[start..<start + shape.width]
    }

    private func sum(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
      var sum = 0.0
      for (a, b) in zip(a, b) { sum += a * b }
      return sum
    }

    /// How much each key counts for a query; 0 for those it does not see.
    func weights(_ query: Int, _ head: Int) -> [Double] {
      let visible = shape.firstVisible.map { $0 + query } ?? shape.keys
      let own = self.head(q, query, head, of: shape.heads)
      let scores = (0..<shape.keys).map { key in
        key < visible && (hidden.isEmpty || hidden[key] == 0)
          ? scale * sum(own, self.head(k, key, head / group, of: shape.keyHeads)) : -.infinity
      }
      let top = scores.max() ?? 0
      let powers = scores.map { exp($0 - top) }
      let total = powers.reduce(0, +)
      return powers.map { $0 / total }
    }

    private var group: Int { shape.heads / shape.keyHeads }

    /// The sum of dy · output.
    var loss: Double {
      var loss = 0.0
      for query in 0..<shape.queries {
        for head in 0..<shape.heads {
          let gradient = self.head(dy, query, head, of: shape.heads)
          for (key, weight) in weights(query, head).enumerated() where weight > 0 {
            loss += weight * sum(gradient, self.head(v, key, head / group, of: shape.keyHeads))
          }
        }
      }
      return loss
    }

    /// The gradients of queries, keys and values, and bounds of their errors.
    ///
    /// With P the weights, D = dy · v and M = Σ P D, the gradient of a score is scale · P (D - M).
    /// Its error is a few u for each of the width + keys terms that make P and D, of
    /// scale · P (|dy| · |v| + Σ P |dy| · |v|).
    func gradients() -> [[(value: Double, bound: Double)]] {
      let width = shape.width
      typealias Bounded = (value: Double, bound: Double)
      var dq = [Bounded](repeating: (0, 0), count: q.count)
      var dk = [Bounded](repeating: (0, 0), count: k.count)
      var dv = dk
      let unit = Double(width + shape.keys + shape.queries + 16) * 0x1p-22
      for query in 0..<shape.queries {
        for head in 0..<shape.heads {
          let keyHead = head / group
          let gradient = self.head(dy, query, head, of: shape.heads)
          let magnitudes = ArraySlice(gradient.map { abs($0) })
          let weights = weights(query, head)
          let values = (0..<shape.keys).map { self.head(v, $0, keyHead, of: shape.keyHeads) }
          let products = values.map { sum(gradient, $0) }
          let sizes = values.map { sum(magnitudes, ArraySlice($0.map { abs($0) })) }
          let (mean, size) = (dot(weights, products), dot(weights, sizes))
          for key in 0..<shape.keys where weights[key] > 0 {
            let slope = scale * weights[key] * (products[key] - mean)
            let error = unit * scale * weights[key] * (sizes[key] + size)
            let own = (query * shape.heads + head) * width
            let other = (key * shape.keyHeads + keyHead) * width
            for i in 0..<width {
              dq[own + i].value += slope * k[other + i]
              dq[own + i].bound += error * abs(k[other + i])
              dk[other + i].value += slope * q[own + i]
              dk[other + i].bound += error * abs(q[own + i])
              dv[other + i].value += weights[key] * dy[own + i]
              dv[other + i].bound += unit * weights[key] * abs(dy[own + i])
            }
          }
        }
      }
      return [dq, dk, dv]
    }
  }

  /// How queries, keys and values lie in memory.
  enum Layout: CaseIterable {
    case separate
    /// Query, key and value of each head side by side, as the vision encoder computes them.
    case joint
  }

  /// What a gradient holds before it is added to.
  private static let before: Float = 0.5

  /// Gradients of queries, keys and values in row order; everything around them is NaN.
  private static func run(_ compute: Compute, _ item: Case, _ layout: Layout) -> [Float] {
    let s = item.shape
    let isJoint = layout == .joint
    // Queries of a joint matrix are its last rows.
    let skipped = isJoint ? s.keys - s.queries : 0
    let step = isJoint ? 3 * s.width : s.width
    let (queryRow, keyRow) = (s.heads * step + 3, s.keyHeads * step + 2)
    let rowLength = isJoint ? queryRow : keyRow
    func place(_ index: Int, _ heads: Int, _ stride: Int) -> Int {
      let (row, head) = (index / s.width / heads, index / s.width % heads)
      return row * stride + head * step + index % s.width
    }
    let count = max((s.queries + skipped) * queryRow, s.keys * rowLength) + 2 * s.width
    let buffers = (0..<6).map { _ in PaddedRows(rows: 1, columns: count) }
    let inputs = isJoint ? [buffers[0], buffers[0], buffers[0]] : Array(buffers[..<3])
    let outputs = isJoint ? [buffers[3], buffers[3], buffers[3]] : Array(buffers[3...])
    let offsets = isJoint ? [skipped * queryRow, s.width, 2 * s.width] : [0, 0, 0]
    let strides = [queryRow, rowLength, rowLength]
    let heads = [s.heads, s.keyHeads, s.keyHeads]
    for (part, values) in [item.q, item.k, item.v].enumerated() {
      for (i, value) in values.enumerated() {
        let index = offsets[part] + place(i, heads[part], strides[part])
        inputs[part].values[index] = Float(value)
        if part > 0 { outputs[part].values[index] = before }
      }
    }
    func input(_ part: Int) -> HeadLayout {
      HeadLayout(
        inputs[part].values + offsets[part], rowStride: strides[part], headStride: step)
    }
    let shape = AttentionShape(
      queries: s.queries, keys: s.keys, heads: s.heads, keyHeads: s.keyHeads, width: s.width,
      scale: Float(item.scale), firstVisible: s.firstVisible, hidden: item.hidden)
    compute.attendGradient(
      Matrix(rows: s.queries, columns: s.heads * s.width, item.dy.map(Float.init)),
      query: input(0), key: input(1), value: input(2),
      dQuery: outputs[0].values + offsets[0], dKey: outputs[1].values + offsets[1],
      dValue: outputs[2].values + offsets[2], shape: shape)
    var found: [Float] = []
    for (part, values) in [item.q, item.k, item.v].enumerated() {
      for i in values.indices {
        let index = offsets[part] + place(i, heads[part], strides[part])
        found.append(outputs[part].values[index])
        outputs[part].values[index] = .nan
      }
    }
    #expect(outputs.allSatisfy { $0.array.allSatisfy { $0.isNaN } })
    extendLifetime(buffers)
    return found
  }

  @Test(arguments: shapes, [false, true])
  func equalsTheFormulaInDouble(_ shape: Shape, hides: Bool) throws {
    let item = Case(shape, hides: hides)
    let gradients = item.gradients()
    let before = Double(Self.before)
    let exact = gradients.enumerated().flatMap { part, values in
      values.map { part == 0 ? $0 : ($0.value + before, $0.bound + 0x1p-22 * before) }
    }
    let canBeJoint = shape.heads == shape.keyHeads && shape.keys >= shape.queries
    for layout in canBeJoint ? Layout.allCases : [.separate] {
      for set in availableSets {
        let what = "\(set) \(shape.testDescription) \(layout) hidden keys: \(hides)"
        let found = try onAnyTeam(set, what) { Self.run($0, item, layout) }
        expectWithin(found, exact, what)
      }
    }
  }

  /// The formula's gradient along a direction against the difference of the loss there.
  @Test(arguments: shapes.filter { $0.queries * $0.keys * $0.heads <= 800 }, [false, true])
  func theFormulaIsTheDerivativeOfTheLoss(_ shape: Shape, hides: Bool) {
    let item = Case(shape, hides: hides)
    for (part, gradient) in item.gradients().enumerated() {
      let direction = numbers(gradient.count, seed: UInt32(61 + part)).map(Double.init)
      let slope = derivative([0], 0) { step in
        var moved = item
        func move(_ values: inout [Double]) {
          for i in values.indices { values[i] += step[0] * direction[i] }
        }
        switch part {
        case 0: move(&moved.q)
        case 1: move(&moved.k)
        default: move(&moved.v)
        }
        return moved.loss
      }
      let expected = dot(gradient.map(\.value), direction)
      let size = dot(gradient.map { abs($0.value) }, direction.map { abs($0) })
      #expect(abs(slope - expected) <= 1e-7 * (size + 1), "input \(part)")
    }
  }
}
