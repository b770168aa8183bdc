import CRocKernels
import Foundation
import RocTestSupport
import Testing

@testable import RocTensor

/// The derivatives of norms and softmax against finite differences in double.
struct RowGradientTests {
  private static let epsilon = 1e-5

  /// x̂ of a row in double.
  private static func normalised(_ x: [Double], centred: Bool) -> [Double] {
    let mean = centred ? x.reduce(0, +) / Double(x.count) : 0
    let square = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    return x.map { ($0 - mean) / (square + epsilon).squareRoot() }
  }

  /// Of a row: the gradient of the input at some places and dy · x̂, with bounds.
  private static func exact(
    _ x: [Float], _ weight: [Float], _ dy: [Float], centred: Bool, places: [Int]
  ) -> (dx: [(value: Double, bound: Double)], products: [(value: Double, bound: Double)]) {
    let wide = x.map(Double.init)
    let h = zip(weight, dy).map { Double($0) * Double($1) }
    let count = Double(x.count)
    let normal = normalised(wide, centred: centred)
    let mean = centred ? wide.reduce(0, +) / count : 0
    let square = wide.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let inverse = 1 / (square + epsilon).squareRoot()
    // As in the forward tests: x̂ is off by u · n of its size and of 4 / deviation, |x| being at
    // most 3.5. That error enters dx once by x̂ itself and once in the mean of h · x̂.
    let unit = Double(x.count + 12) * 0x1p-23
    let reach = normal.map { abs($0) + 4 * inverse + 1 }
    let average = dot(h.map { abs($0) }, [Double](repeating: 1, count: x.count)) / count
    let product = dot(h.map { abs($0) }, reach) / count
    let dx = places.map { i in
      let value = derivative(wide, i) { dot(h, normalised($0, centred: centred)) }
      let bound = unit * inverse * (abs(h[i]) + average + reach[i] * product)
      return (value, bound + 1e-10 * (1 + product * inverse))
    }
    let products = x.indices.map { i in
      (Double(dy[i]) * normal[i], unit * abs(Double(dy[i])) * reach[i])
    }
    return (dx, products)
  }

  /// All places of short rows, some of long ones.
  private static func places(_ n: Int) -> [Int] {
    n <= 65 ? Array(0..<n) : Array(stride(from: 0, to: n, by: n / 24)) + [n - 1]
  }

  @Test(arguments: [true, false])
  func normsOfAnyLength(centred: Bool) throws {
    for n in RowKernelTests.lengths {
      let x = numbers(n, seed: 11).map { $0 * 3 + 0.5 }
      let weight = numbers(n, seed: 12)
      let dy = numbers(n, seed: 14)
      let before = numbers(n, seed: 15)
      let places = Self.places(n)
      let exact = Self.exact(x, weight, dy, centred: centred, places: places)
      for set in availableSets {
        let kernels = try #require(roc_kernels_named(set)).pointee
        var dx = before + [.nan]
        var products = [Float](repeating: .nan, count: n + 1)
        kernels.norm_gradient(
          x + [.nan], weight + [.nan], dy + [.nan], Float(Self.epsilon), n, centred ? 1 : 0, &dx,
          &products)
        let what = "\(set) n \(n) centred \(centred)"
        #expect(dx[n].isNaN && products[n].isNaN, "\(what)")
        expectWithin(
          places.map { dx[$0] },
          zip(places, exact.dx).map {
            (Double(before[$0]) + $1.value, $1.bound + abs(Double(before[$0])) * 0x1p-23)
          }, what)
        expectWithin(Array(products[..<n]), exact.products, "\(what), weight")
      }
    }
  }

  /// Norms whose parameters were applied to some of the rows.
  @Test(arguments: availableSets, [true, false])
  func normsOfSomeRows(_ set: String, centred: Bool) throws {
    let (m, n, rows) = (29, 133, 3..<27)
    let x = numbers(m * n, seed: 11).map { $0 * 3 + 0.5 }
    let dy = numbers(m * n, seed: 14)
    let before = numbers(m * n, seed: 15)
    let weight = numbers(n, seed: 12)
    let found = try onAnyTeam(set) { compute in
      let dx = compute.matrix(m, n, before)
      let factor = Parameter(weight)
      let bias = Parameter(numbers(n, seed: 13))
      factor.train()
      bias.train()
      // Twice, once with fixed parameters: dx is added to, the others' gradients once.
      for (factor, bias) in [(factor, bias), (Parameter(weight), Parameter(weight))] {
        compute.normGradient(
          compute.matrix(m, n, dy), of: compute.matrix(m, n, x),
          NormParameters(
            weight: factor, bias: centred ? bias : nil, epsilon: Float(Self.epsilon)),
          rows: rows, into: dx)
      }
      let sums = try #require(factor.gradientArray(compute))
      let shifts = try #require(bias.gradientArray(compute))
      return sums + shifts + dx.array
    }
    var sums = [ExactSum](repeating: ExactSum(), count: 2 * n)
    var roundings = [Double](repeating: 0, count: n)
    var dx: [(value: Double, bound: Double)] = before.map { (Double($0), 0) }
    for row in rows {
      let range = row * n..<(row + 1) * n
      let places = [0, row, n - 1]
      let exact = Self.exact(
        Array(x[range]), weight, Array(dy[range]), centred: centred, places: places)
      for (i, product) in exact.products.enumerated() {
        sums[i].add(product.value)
        roundings[i] += product.bound
        if centred { sums[n + i].add(Double(dy[row * n + i])) }
      }
      for place in 0..<n { dx[row * n + place].bound = .infinity }
      for (place, value) in zip(places, exact.dx) {
        let start = Double(before[row * n + place])
        dx[row * n + place] = (start + 2 * value.value, 2 * value.bound + abs(start) * 0x1p-22)
      }
    }
    let exact = sums.enumerated().map { i, sum in
      (sum.value, sum.bound + (i < n ? roundings[i] : 0))
    }
    expectWithin(found, exact + dx, "\(set) centred \(centred)")
  }

  @Test(arguments: [Float(1), 0.125, 30])
  func softmaxOfAnyLength(scale: Float) throws {
    for n in RowKernelTests.lengths {
      let x = numbers(n, seed: UInt32(n))
      let gradient = numbers(n, seed: 21)
      let wide = gradient.map(Double.init)
      func softmax(_ x: [Double]) -> [Double] {
        let top = (x.max() ?? 0) * Double(scale)
        let powers = x.map { exp($0 * Double(scale) - top) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
      }
      let weights = softmax(x.map(Double.init))
      let size = dot(weights, wide.map { abs($0) })
      let mean = dot(weights, wide)
      let exact = (0..<n).map { i in
        // (gradient - mean) · weight · scale, of weights that err as the forward tests allow.
        let unit = (12 + 4 * Double(scale) + Double(n) / 8) * 0x1p-23
        let bound = unit * Double(scale) * weights[i] * (abs(wide[i]) + size)
        return (Double(scale) * weights[i] * (wide[i] - mean), bound + 1e-36)
      }
      // The formula itself is held against finite differences.
      for i in Self.places(min(n, 65)) where n <= 65 && scale <= 1 {
        let slope = derivative(x.map(Double.init), i) { dot(wide, softmax($0)) }
        #expect(abs(slope - exact[i].0) <= 1e-10, "n \(n) at \(i)")
      }
      for set in availableSets {
        let kernels = try #require(roc_kernels_named(set)).pointee
        var forward = x + [.nan]
        kernels.softmax(&forward, n, scale)
        var found = gradient + [.nan]
        kernels.softmax_gradient(forward, &found, n, scale)
        #expect(found[n].isNaN)
        expectWithin(Array(found[..<n]), exact, "\(set) n \(n) scale \(scale)")
      }
    }
  }

  @Test(arguments: availableSets)
  func rotationTurnsBack(_ set: String) throws {
    for (heads, width) in [(4, 6), (3, 34), (1, 128)] {
      let columns = heads * width
      let dy = numbers(19 * columns, seed: 1)
      let table = RotaryTable(
        positions: 30, width: width, theta: 10_000,
        try Compute(threads: 1, instructionSet: set))
      let found = try onAnyTeam(set) { compute in
        let gradient = compute.matrix(19, columns, dy)
        compute.rotate(gradient, heads: heads, positions: table.reversed, first: 5)
        return gradient.array
      }
      // Rotation is linear: the gradient is its transposed matrix applied to dy.
      let exact = (0..<19 * columns).map { index in
        let (row, i) = (index / columns, index % width)
        let half = width / 2
        let cosine = Double(table.cosine.row(row + 5)[i % half])
        let sine = Double(table.sine.row(row + 5)[i % half])
        let own = Double(dy[index])
        let other = Double(dy[i < half ? index + half : index - half])
        let value = i < half ? cosine * own + sine * other : cosine * own - sine * other
        return (value, 3 * 0x1p-24 * (abs(cosine * own) + abs(sine * other)))
      }
      expectWithin(found, exact, "\(set), \(heads) heads of \(width)")
    }
  }

  @Test(arguments: availableSets)
  func columnsAreSummedInTheOrderOfRows(_ set: String) throws {
    for (m, n) in [(1, 1), (3, 17), (7, 63), (40, 65), (5, 128), (9, 300)] {
      let x = numbers(m * n, seed: 31)
      let before = numbers(n, seed: 32)
      let found = try onAnyTeam(set) { compute in
        let sums = Parameter(before)
        sums.train()
        // 1 x n values first: the sums start from something.
        compute.add(compute.matrix(1, n, before), to: sums)
        compute.addColumns(of: compute.matrix(m, n, x), to: sums)
        compute.addColumns(of: compute.matrix(m, n, x), to: nil)
        compute.addColumns(of: compute.matrix(m, n, x), to: Parameter(before))
        return try #require(sums.gradientArray(compute))
      }
      var expected = before
      for row in 0..<m { for i in 0..<n { expected[i] += x[row * n + i] } }
      expectSameBits(found, expected, "\(set) \(m) x \(n)")
      let padded = PaddedRows(x, rows: m, columns: n)
      let sums = PaddedRows(before, rows: 1, columns: n)
      let kernels = try #require(roc_kernels_named(set)).pointee
      kernels.add_columns(padded.values, m, padded.stride, n, sums.values)
      #expect(padded.isIntact && sums.isIntact)
      expectSameBits(sums.array, expected, "\(set) \(m) x \(n)")
    }
  }

  /// Around the runs that one thread sums, and more runs than are summed at once.
  @Test(arguments: [1, 15, 17, 1023, 1025, 16_383, 16_385, 50_000, 256 * 16_384 + 5])
  func squaresAreSummed(_ count: Int) throws {
    let pattern = numbers(1009, seed: 41).map { $0 * 2 }
    let parameter = Parameter([Float](repeating: 0, count: count))
    #expect(try Compute(threads: 1).squaredGradient(parameter) == 0)
    parameter.train()
    let gradient = try #require(parameter.gradient)
    for start in stride(from: 0, to: count, by: pattern.count) {
      (gradient + start).update(from: pattern, count: min(pattern.count, count - start))
    }
    let squares = pattern.map { Double($0) * Double($0) }
    let exact =
      squares.reduce(0, +) * Double(count / pattern.count)
      + squares[..<(count % pattern.count)].reduce(0, +)
    for set in availableSets {
      let sums = try (1...3).map {
        try Compute(threads: $0, instructionSet: set).squaredGradient(parameter)
      }
      // A lane sums at most 1024 / 4 squares in float32.
      #expect(abs(sums[0] - exact) <= (256 + 8) * 0x1p-24 * exact, "\(set) \(count)")
      #expect(sums[1].bitPattern == sums[0].bitPattern && sums[2].bitPattern == sums[0].bitPattern)
    }
  }
}
