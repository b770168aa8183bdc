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

  /// Gradients of queries, keys and values in row order; everything around them stays NaN.
  private static func run(_ compute: Compute, _ item: Case, _ layout: Layout) -> [Float] {
    let s = item.shape
    let isJoint = layout == .joint
    let step = isJoint ? 3 * s.width : s.width
    let heads = [s.heads, s.keyHeads, s.keyHeads]
    let rows = [s.queries, s.keys, s.keys]
    // Columns behind the heads, and in a joint matrix the other parts, belong to nobody.
    let widths = heads.map { $0 * step + 3 }
    let columns = isJoint ? [0, s.width, 2 * s.width] : [0, 0, 0]
    func place(_ index: Int, _ part: Int) -> Int {
      let (row, head) = (index / s.width / heads[part], index / s.width % heads[part])
      return row * widths[part] + columns[part] + head * step + index % s.width
    }
    var inputs = (0..<3).map { [Float](repeating: .nan, count: rows[$0] * widths[$0]) }
    var outputs = inputs
    for (part, values) in [item.q, item.k, item.v].enumerated() {
      for (i, value) in values.enumerated() {
        inputs[isJoint ? 0 : part][place(i, part)] = Float(value)
        if part > 0 { outputs[isJoint ? 0 : part][place(i, part)] = before }
      }
    }
    func matrix(_ arrays: [[Float]], _ part: Int) -> Matrix {
      compute.matrix(rows[part], widths[part], arrays[part])
    }
    func part(_ part: Int) -> HeadLayout { HeadLayout(column: columns[part], stride: step) }
    var shape = AttentionShape(
      queries: s.queries, keys: s.keys, heads: s.heads, keyHeads: s.keyHeads, width: s.width,
      scale: Float(item.scale), firstVisible: s.firstVisible, hidden: item.hidden)
    shape.layouts = (part(0), part(1), part(2))
    let gradient = compute.matrix(s.queries, s.heads * s.width, item.dy.map(Float.init))
    if isJoint {
      let (x, d) = (Shared(matrix(inputs, 0)), Shared(matrix(outputs, 0)))
      compute.attendGradient(
        gradient, x.matrix, x.matrix, x.matrix, into: d.matrix, d.matrix, d.matrix, shape)
      outputs[0] = d.matrix.array
    } else {
      let (dQuery, dKey, dValue) = (
        Shared(matrix(outputs, 0)), Shared(matrix(outputs, 1)), Shared(matrix(outputs, 2))
      )
      compute.attendGradient(
        gradient, matrix(inputs, 0), matrix(inputs, 1), matrix(inputs, 2), into: dQuery.matrix,
        dKey.matrix, dValue.matrix, shape)
      outputs = [dQuery.matrix.array, dKey.matrix.array, dValue.matrix.array]
    }
    var found: [Float] = []
    for (part, values) in [item.q, item.k, item.v].enumerated() {
      for i in values.indices {
        found.append(outputs[isJoint ? 0 : part][place(i, part)])
        outputs[isJoint ? 0 : part][place(i, part)] = .nan
      }
    }
    #expect(outputs[..<(isJoint ? 1 : 3)].allSatisfy { $0.allSatisfy(\.isNaN) })
    return found
  }

  /// A matrix that several names stand for.
  private final class Shared {
    let matrix: Matrix

    init(_ matrix: consuming Matrix) { self.matrix = matrix }
  }

  @Test(arguments: shapes, [false, true])
  func equalsTheFormulaInDouble(_ shape: Shape, hides: Bool) throws {
    let item = Case(shape, hides: hides)
    let gradients = item.gradients()
    let before = Double(Self.before)
    let exact = gradients.enumerated().flatMap { part, values in
      values.map { part == 0 ? $0 : ($0.value + before, $0.bound + 0x1p-22 * before) }
    }
    let canBeJoint = shape.heads == shape.keyHeads && shape.keys == shape.queries
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
