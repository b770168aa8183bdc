import CRocKernels
import RocTestSupport
import Testing

@testable import RocTensor

/// Parameters, their layout in memory, and AdamW.
struct OptimiserTests {
  private static let sizes = [(1, 1), (63, 65), (64, 64), (65, 3), (130, 7), (128, 129)]

  private struct Step {
    var rate: Double
    var decay: Double
    var factor: Double
  }

  private static let steps = [
    Step(rate: 1e-3, decay: 0, factor: 1), Step(rate: 1e-2, decay: 0.1, factor: 0.25),
    Step(rate: 5e-3, decay: 0.01, factor: 1e-4), Step(rate: 1e-2, decay: 0, factor: 1),
    Step(rate: 0, decay: 0.1, factor: 1),
  ]

  /// A value and its moments as AdamW moves them, in double, and what float32 may be off by.
  private struct Exact {
    var x: Double
    var mean = 0.0
    var square = 0.0
    var bound: Double
    var meanBound = 0.0

    init(_ x: Float) {
      self.x = Double(x)
      bound = 0
    }

    mutating func move(_ gradient: Float, _ step: Step, number: Int, _ settings: AdamW) {
      let g = Double(gradient) * step.factor
      let unit = 0x1p-24
      mean = settings.beta1 * mean + (1 - settings.beta1) * g
      meanBound = settings.beta1 * meanBound + 5 * unit * (abs(mean) + 0.1 * abs(g))
      square = settings.beta2 * square + (1 - settings.beta2) * g * g
      var (power1, power2) = (1.0, 1.0)
      for _ in 0..<number { (power1, power2) = (power1 * settings.beta1, power2 * settings.beta2) }
      let deviation = (square / (1 - power2)).squareRoot() + settings.epsilon
      let rate = step.rate / (1 - power1) / deviation
      x = x * (1 - step.rate * step.decay) - rate * mean
      // Squares are sums of positive terms: a few u for each step.
      bound += 3 * unit * abs(x) + rate * (meanBound + Double(number + 10) * 4 * unit * abs(mean))
    }
  }

  @Test(arguments: [1, 3, 17, 64, 1025, 16_384 + 21])
  func followsTheFormulaInDouble(_ count: Int) throws {
    let settings = AdamW()
    let start = numbers(count, seed: 71)
    let gradients = Self.steps.indices.map { number in
      numbers(count, seed: UInt32(72 + number)).enumerated().map { i, value in
        // Some are always zero, some of the size of epsilon, some large.
        i % 7 == 3 ? 0 : i % 7 == 5 ? value * 1e-8 : i % 7 == 6 ? value * 1e4 : value
      }
    }
    var exact = start.map(Exact.init)
    for (number, step) in Self.steps.enumerated() {
      for i in 0..<count { exact[i].move(gradients[number][i], step, number: number + 1, settings) }
    }
    for set in availableSets {
      let found = try onAnyTeam(set, "\(count)") { compute in
        let parameter = Parameter(start)
        let moments = Moments(parameter)
        // Not trained: nothing moves.
        let update = AdamW.Update(step: 1, learningRate: 1, decay: 1)
        compute.apply(update, settings, to: moments)
        #expect(parameter.array(compute) == start)
        parameter.train()
        for (number, step) in Self.steps.enumerated() {
          let gradient = try #require(parameter.gradient)
          for i in 0..<count { gradient[i] = gradients[number][i] }
          compute.apply(
            AdamW.Update(
              step: number + 1, learningRate: step.rate, decay: step.decay,
              gradientFactor: step.factor), settings, to: moments)
          #expect(parameter.gradientArray(compute)?.allSatisfy { $0 == 0 } == true, "not cleared")
        }
        let values = Array(UnsafeBufferPointer(start: moments.values, count: 2 * count))
        extendLifetime(moments)
        return parameter.array(compute) + values
      }
      expectWithin(
        found,
        exact.map { ($0.x, $0.bound + 1e-30) } + exact.map { ($0.mean, $0.meanBound + 1e-30) }
          + exact.map { ($0.square, 40 * 0x1p-24 * $0.square + 1e-37) }, "\(set) \(count) values")
    }
  }

  @Test(arguments: availableSets)
  func panelsAreRowsInAnotherOrder(_ set: String) throws {
    for (n, k) in Self.sizes {
      let values = numbers(n * k, seed: 81)
      let found = try onAnyTeam(set, "\(n) x \(k)") { compute in
        let parameter = Parameter(outputs: n, inputs: k)
        #expect(parameter.size == n * k && parameter.count == (n + 63) / 64 * 64 * k)
        #expect(parameter.gradientArray(compute) == nil)
        parameter.replace(with: values, compute)
        expectEmptyPadding(parameter.values, outputs: n, inputs: k, "\(n) x \(k)")
        for (index, value) in values.enumerated() {
          let (output, input) = (index / k, index % k)
          #expect(parameter.values[(output / 64 * k + input) * 64 + output % 64] == value)
        }
        return parameter.array(compute)
      }
      expectSameBits(found, values, "\(set) \(n) x \(k)")
    }
    let compute = try Compute(threads: 2, instructionSet: set)
    let rows = Parameter([1, 2, 3])
    rows.replace(with: [4, 5, 6], compute)
    #expect(rows.array(compute) == [4, 5, 6] && rows.size == 3)
  }

  /// Panels move as their rows would, and what pads them stays zero.
  @Test(arguments: availableSets)
  func paddingIsNeverMoved(_ set: String) throws {
    for (n, k) in Self.sizes {
      let start = numbers(n * k, seed: 82)
      let compute = try Compute(threads: 2, instructionSet: set)
      let rows = Parameter(start)
      let panels = Parameter(outputs: n, inputs: k)
      panels.replace(with: start, compute)
      let gradients = numbers(5 * n * k, seed: 83)
      let source = Parameter(outputs: n, inputs: k)
      let both = [Moments(rows), Moments(panels)]
      for moments in both { moments.parameter.train() }
      for step in 1...5 {
        let gradient = Array(gradients[(step - 1) * n * k..<step * n * k])
        source.replace(with: gradient, compute)
        try #require(rows.gradient).update(from: gradient, count: n * k)
        try #require(panels.gradient).update(from: source.values, count: panels.count)
        let update = AdamW.Update(
          step: step, learningRate: 0.01, decay: 0.1, gradientFactor: 0.5)
        for moments in both { compute.apply(update, AdamW(), to: moments) }
      }
      expectSameBits(panels.array(compute), rows.array(compute), "\(set) \(n) x \(k)")
      expectEmptyPadding(panels.values, outputs: n, inputs: k, "\(set) \(n) x \(k)")
      for half in 0..<2 {
        expectEmptyPadding(
          both[1].values + half * panels.count, outputs: n, inputs: k, "\(set) moments")
      }
      extendLifetime(both)
    }
  }

  @Test func rowsOfATableMayBeUsedTwice() throws {
    let compute = try Compute(threads: 1)
    let (count, columns) = (5, 3)
    let table = Parameter(numbers(count * columns, seed: 84))
    let rows = numbers(4 * columns, seed: 85)
    let ids = [2, 0, 2, 4]
    table.addToGradient(compute.matrix(4, columns, rows), at: ids)
    #expect(table.gradientArray(compute) == nil)
    table.train()
    var expected = [Float](repeating: 0, count: count * columns)
    for _ in 0..<2 {
      table.addToGradient(compute.matrix(4, columns, rows), at: ids)
      for (row, id) in ids.enumerated() {
        for i in 0..<columns { expected[id * columns + i] += rows[row * columns + i] }
      }
    }
    #expect(table.gradientArray(compute) == expected)
    table.train()
    #expect(table.gradientArray(compute) == expected, "a second train() forgot the gradient")
    table.clearGradient()
    #expect(table.gradientArray(compute)?.allSatisfy { $0 == 0 } == true)
  }

  /// Weights to be trained are used as weights that were packed for scoring.
  @Test(arguments: availableSets, [Precision.f32, .bf16])
  func trainedWeightsAreRoundedAnew(_ set: String, _ precision: Precision) throws {
    for shape in [(m: 3, n: 1, k: 1), (m: 3, n: 65, k: 7), (m: 3, n: 128, k: 34)] {
      let (n, k) = (shape.n, shape.k)
      let item = ProductTests.Case(shape)
      _ = try onAnyTeam(set, "\(shape)") { compute in
        let trained = try LinearGradientTests.pack(item, precision, compute, trained: true)
        let parameter = try #require(trained.parameter)
        #expect(parameter.array(compute) == item.w)
        let before = try bytes(of: item, precision, compute)
        #expect(panels(of: trained) == before, "\(set) \(shape)")
        parameter.train()
        let moments = Moments(parameter)
        let gradient = try #require(parameter.gradient)
        for i in 0..<parameter.count { gradient[i] = parameter.values[i] }
        compute.apply(
          AdamW.Update(step: 1, learningRate: 0.1, decay: 0), AdamW(), to: moments)
        let moved = parameter.array(compute)
        #expect(moved != item.w)
        // Rounded weights follow when they are told to.
        if precision == .bf16 { #expect(panels(of: trained) == before) }
        trained.refresh(compute)
        let after = try bytes(
          of: ProductTests.Case(item, inputs: item.a, weights: moved), precision, compute)
        #expect(panels(of: trained) == after, "\(set) \(shape)")
        return moved
      }
      let compute = try Compute(threads: 1, instructionSet: set)
      var broken = item.w
      broken[n * k - 1] = .nan
      let raw = try #require(RawWeights(copying: broken, rows: n, columns: k, "broken"))
      #expect(PackedWeights(training: raw, precision: precision, compute: compute) == nil)
    }
  }

  private func bytes(
    of item: ProductTests.Case, _ precision: Precision, _ compute: Compute
  ) throws -> [UInt8] {
    panels(of: try LinearGradientTests.pack(item, precision, compute))
  }

  private func panels(of weights: PackedWeights) -> [UInt8] { weights.withPanels { Array($0) } }
}
