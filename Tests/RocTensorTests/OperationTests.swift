import CRocKernels
import Foundation
import RocTestSupport
import Testing

@testable import RocTensor

/// Everything that can compute on this machine: the sets of our own kernels, and OpenBLAS.
let implementations = Compute.instructionSets.filter {
  (try? Compute(threads: 1, instructionSet: $0)) != nil
}

/// One line of the list of operations: what it gives for some inputs, and the gradients of these.
struct Operation: Sendable, CustomTestStringConvertible {
  typealias Inputs = [[Float]]

  /// As the function of `Device` is called.
  let name: String
  let variant: String
  let inputs: Inputs
  /// Multiplications and additions, or values where there are none.
  let work: Double
  let run: @Sendable (Compute, Inputs) throws -> [Float]
  /// Given the inputs and the gradient of the result, the gradients of those inputs that have one,
  /// by place; nil for an operation that no training takes back.
  var gradients: (@Sendable (Compute, Inputs, [Float]) throws -> [Int: [Float]])?
  /// The function of `Device` that gives them.
  var gradientName: String?

  var testDescription: String { variant.isEmpty ? name : "\(name) \(variant)" }
}

extension Operation {
  private static let (m, n, k) = (13, 70, 67)

  private static func values(_ counts: Int...) -> Inputs {
    counts.enumerated().map { numbers($1, seed: UInt32(11 + $0)) }
  }

  private static func linear(
    _ compute: Compute, _ inputs: Inputs, trained: Bool = false
  ) throws -> Linear {
    let raw = try #require(RawWeights(copying: inputs[1], rows: n, columns: k, "w"))
    let packed = try #require(
      trained
        ? PackedWeights(training: raw, precision: .f32, compute: compute)
        : PackedWeights(raw, precision: .f32, compute: compute))
    if trained { packed.parameter?.train() }
    let bias = Parameter(inputs[2])
    if trained { bias.train() }
    return Linear(packed, bias: bias)
  }

  private static func product(_ finish: Finish, _ variant: String) -> Operation {
    var result = Operation(
      name: "product", variant: variant, inputs: values(m * k, n * k, n, m * n),
      work: 2 * Double(m * n * k)
    ) { compute, inputs in
      let y = compute.matrix(m, n, inputs[3])
      try linear(compute, inputs).apply(
        compute.matrix(m, k, inputs[0]), into: y, finish: finish, compute)
      return y.array
    }
    guard finish == .store else { return result }
    result.gradientName = "inputGradient weightGradient addColumns"
    result.gradients = { compute, inputs, dy in
      let layer = try linear(compute, inputs, trained: true)
      let dx = compute.zeros(m, k)
      layer.backward(
        compute.matrix(m, n, dy), of: compute.matrix(m, k, inputs[0]), into: dx, compute)
      let weights = try #require(layer.weights?.parameter?.gradientArray(compute))
      return [0: dx.array, 1: weights, 2: try #require(layer.bias?.gradientArray(compute))]
    }
    return result
  }

  private static func attention(_ shape: AttentionShape, _ variant: String) -> Operation {
    let (columns, keyColumns) = (shape.heads * shape.width, shape.keyHeads * shape.width)
    return Operation(
      name: "attend", variant: variant,
      inputs: values(shape.queries * columns, shape.keys * keyColumns, shape.keys * keyColumns),
      work: 4 * Double(shape.queries * shape.keys * columns),
      run: { compute, inputs in
        let y = compute.matrix(shape.queries, columns)
        compute.attend(
          compute.matrix(shape.queries, columns, inputs[0]),
          compute.matrix(shape.keys, keyColumns, inputs[1]),
          compute.matrix(shape.keys, keyColumns, inputs[2]), shape, into: y)
        return y.array
      },
      gradients: { compute, inputs, dy in
        let dQuery = compute.matrix(shape.queries, columns)
        let dKey = compute.zeros(shape.keys, keyColumns)
        let dValue = compute.zeros(shape.keys, keyColumns)
        compute.attendGradient(
          compute.matrix(shape.queries, columns, dy),
          compute.matrix(shape.queries, columns, inputs[0]),
          compute.matrix(shape.keys, keyColumns, inputs[1]),
          compute.matrix(shape.keys, keyColumns, inputs[2]), into: dQuery, dKey, dValue,
          shape)
        return [0: dQuery.array, 1: dKey.array, 2: dValue.array]
      }, gradientName: "attendGradient")
  }

  private static func norm(isCentred: Bool) -> Operation {
    Operation(
      name: isCentred ? "layerNorm" : "rmsNorm", variant: "", inputs: values(m * k, k, k),
      work: Double(m * k),
      run: { compute, inputs in
        let x = compute.matrix(m, k, inputs[0])
        let (weight, bias) = (Parameter(inputs[1]), Parameter(inputs[2]))
        return isCentred
          ? compute.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5).array
          : compute.rmsNorm(x, weights: [(m, weight)], epsilon: 1e-5).array
      },
      gradients: { compute, inputs, dy in
        let (weight, bias) = (Parameter(inputs[1]), Parameter(inputs[2]))
        weight.train()
        bias.train()
        let dx = compute.zeros(m, k)
        compute.normGradient(
          compute.matrix(m, k, dy), of: compute.matrix(m, k, inputs[0]),
          NormParameters(weight: weight, bias: isCentred ? bias : nil, epsilon: 1e-5), into: dx)
        var found = [0: dx.array, 1: try #require(weight.gradientArray(compute))]
        if isCentred { found[2] = bias.gradientArray(compute) }
        return found
      }, gradientName: "normGradient")
  }

  /// Every operation of `Device`.
  static let all: [Operation] = [
    product(.store, "stored"), product(.add, "added"), product(.quickGELU, "quick-GELU"),
    product(.gelu, "GELU"), product(.siluGate, "gated"),
    attention(AttentionShape(queries: 9, keys: 21, heads: 3, keyHeads: 3, width: 20), "of all"),
    attention(
      AttentionShape(
        queries: 9, keys: 21, heads: 4, keyHeads: 2, width: 20, firstVisible: 13), "causal, grouped"
    ),
    norm(isCentred: true), norm(isCentred: false),
    Operation(
      name: "rotate", variant: "", inputs: values(m * 24), work: Double(m * 24),
      run: { compute, inputs in
        let x = compute.matrix(m, 24, inputs[0])
        compute.rotate(
          x, heads: 4, positions: RotaryTable(positions: 30, width: 6, theta: 100, compute),
          first: 5)
        return x.array
      },
      gradients: { compute, _, dy in
        let d = compute.matrix(m, 24, dy)
        compute.rotate(
          d, heads: 4,
          positions: RotaryTable(positions: 30, width: 6, theta: 100, compute).reversed, first: 5)
        return [0: d.array]
      }, gradientName: "rotate"),
    Operation(
      name: "quickGELU", variant: "", inputs: values(m * k), work: Double(m * k),
      run: { compute, inputs in compute.quickGELU(compute.matrix(m, k, inputs[0])).array },
      gradients: { compute, inputs, dy in
        let d = compute.matrix(m, k, dy)
        compute.quickGELUGradient(d, of: compute.matrix(m, k, inputs[0]))
        return [0: d.array]
      }, gradientName: "quickGELUGradient"),
    Operation(
      name: "gelu", variant: "", inputs: values(m * k), work: Double(m * k),
      run: { compute, inputs in compute.gelu(compute.matrix(m, k, inputs[0])).array },
      gradients: { compute, inputs, dy in
        let d = compute.matrix(m, k, dy)
        compute.geluGradient(d, of: compute.matrix(m, k, inputs[0]))
        return [0: d.array]
      }, gradientName: "geluGradient"),
    Operation(
      name: "siluGate", variant: "", inputs: values(m * k, m * k), work: Double(m * k),
      run: { compute, inputs in
        compute.siluGate(compute.matrix(m, k, inputs[0]), compute.matrix(m, k, inputs[1])).array
      },
      gradients: { compute, inputs, dy in
        let gate = compute.matrix(m, k, inputs[0])
        let up = compute.matrix(m, k, inputs[1])
        compute.siluGateGradient(compute.matrix(m, k, dy), of: gate, up)
        return [0: gate.array, 1: up.array]
      }, gradientName: "siluGateGradient"),
    Operation(
      name: "add", variant: "", inputs: values(4 * k, m * k), work: Double(4 * k)
    ) { compute, inputs in
      let y = compute.matrix(m, k, inputs[1])
      compute.add(compute.matrix(4, k, inputs[0]), to: y, at: 3)
      compute.add(Parameter(inputs[0]), to: y, at: 5)
      return y.array
    },
    Operation(name: "scale", variant: "", inputs: values(m * k), work: Double(m * k)) {
      let x = $0.matrix(m, k, $1[0])
      $0.scale(x, by: -0.37)
      return x.array
    },
    Operation(name: "copy", variant: "", inputs: values(m * k, m * k, k), work: Double(m * k)) {
      let y = $0.matrix(m, k, $1[1])
      $0.copy($0.matrix(m, k, $1[0]), rows: 2..<7, into: y, at: 4)
      $0.copy(Parameter($1[2]), into: y, at: 12)
      return y.array + y.copy(rows: 3..<6).array
    },
    Operation(name: "patches", variant: "", inputs: values(3 * 8 * 12), work: 288) {
      let y = $0.zeros(7, 3 * 16)
      $0.patches($0.matrix(3, 8 * 12, $1[0]), width: 12, patch: 4, into: y, at: 1)
      return y.array
    },
    Operation(name: "drop", variant: "", inputs: values(m * k), work: Double(m * k)) {
      let x = $0.matrix(m, k, $1[0])
      let dropout = Dropout(rate: 0.3)
      dropout.key = 5
      dropout.apply(to: x, stream: 3, $0)
      return x.array
    },
    Operation(name: "softmax", variant: "", inputs: values(10), work: 10) { $0.softmax($1[0]) },
    Operation(name: "sumOfSquares", variant: "", inputs: values(n * k), work: Double(n * k)) {
      let parameter = Parameter([Float](repeating: 0, count: n * k))
      parameter.train()
      $0.add($0.matrix(n, k, $1[0]), to: parameter)
      return [Float($0.squaredGradient(parameter))]
    },
    Operation(name: "update", variant: "", inputs: values(n * k, n * k), work: Double(n * k)) {
      let parameter = Parameter($1[0])
      parameter.train()
      $0.add($0.matrix(n, k, $1[1]), to: parameter)
      let moments = Moments(parameter)
      $0.apply(AdamW.Update(step: 3, learningRate: 0.1, decay: 0.01), AdamW(), to: moments)
      return parameter.array($0) + moments.array(.mean) + moments.array(.square)
    },
    Operation(name: "isFinite", variant: "", inputs: values(n * k), work: Double(n * k)) {
      [Parameter($1[0]).isFinite($0) ? 1 : 0, Parameter($1[0] + [.nan]).isFinite($0) ? 1 : 0]
    },
    Operation(name: "pack unpack", variant: "", inputs: values(n * k), work: Double(n * k)) {
      let parameter = Parameter(outputs: n, inputs: k)
      parameter.replace(with: $1[0], $0)
      return parameter.array($0)
    },
    Operation(name: "round", variant: "", inputs: values(n * k), work: Double(n * k)) {
      let raw = try #require(RawWeights(copying: $1[0], rows: n, columns: k, "w"))
      let packed = try #require(PackedWeights(training: raw, precision: .bf16, compute: $0))
      // Bits of bf16 are compared as whole numbers.
      return packed.withPanels { $0.map(Float.init) }
    },
  ]
}

/// One table for all implementations of the list of operations.
struct OperationTests {
  @Test(arguments: implementations, Operation.all)
  func agreesWithThePortableKernels(_ set: String, _ operation: Operation) throws {
    let reference = try Compute(threads: 1, instructionSet: "portable")
    let expected = try operation.run(reference, operation.inputs)
    for threads in [1, 2] {
      let compute = try Compute(threads: threads, instructionSet: set)
      let found = try operation.run(compute, operation.inputs)
      Self.expectNear(found, expected, "\(set), \(threads) threads")
    }
    guard let gradients = operation.gradients else { return }
    let dy = numbers(expected.count, seed: 5)
    let wanted = try gradients(reference, operation.inputs, dy)
    let found = try gradients(
      try Compute(threads: 2, instructionSet: set), operation.inputs, dy)
    #expect(found.keys.sorted() == wanted.keys.sorted())
    for (place, values) in found {
      Self.expectNear(values, wanted[place] ?? [], "\(set), gradient of input \(place)")
    }
  }

  /// The gradients along a direction against the difference of the results there.
  @Test(arguments: implementations, Operation.all.filter { $0.gradients != nil })
  func hasItsDerivative(_ set: String, _ operation: Operation) throws {
    let compute = try Compute(threads: 2, instructionSet: set)
    let count = try operation.run(compute, operation.inputs).count
    let dy = numbers(count, seed: 5)
    guard let gradients = try operation.gradients?(compute, operation.inputs, dy) else { return }
    for (place, gradient) in gradients {
      let direction = numbers(gradient.count, seed: UInt32(91 + place))
      func loss(_ step: Float) throws -> Double {
        var inputs = operation.inputs
        for i in direction.indices { inputs[place][i] += step * direction[i] }
        return zip(try operation.run(compute, inputs), dy)
          .reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      // Float32 results differ by 1e-7 of themselves, so the step is not small.
      let step: Float = 0x1p-6
      let near = (try loss(step) - loss(-step)) / Double(2 * step)
      let far = (try loss(2 * step) - loss(-2 * step)) / Double(4 * step)
      let slope = (4 * near - far) / 3
      let expected = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let size = zip(gradient, direction).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
      #expect(
        abs(slope - expected) <= 2e-3 * (size + 1),
        "\(set): the slope along input \(place) is \(slope), its gradient says \(expected)")
    }
  }

  /// Whoever adds an operation to `Device` adds a line to the table.
  @Test func theTableHasEveryOperation() throws {
    let path = "\(#filePath)".replacing(
      "Tests/RocTensorTests/OperationTests.swift", with: "Sources/RocTensor/Device.swift")
    let source = try String(contentsOfFile: path, encoding: .utf8)
    let list = try #require(source.firstRange(of: "protocol Device"))
    let end = try #require(source[list.upperBound...].firstRange(of: "\n}\n"))
    let names = source[list.upperBound..<end.lowerBound].split(separator: "\n").compactMap { line in
      line.firstMatch(of: /func (\w+)/).map { String($0.1) }
    }
    let memory = ["take", "give", "clear", "upload", "download"]
    let tested = Operation.all.flatMap {
      "\($0.name) \($0.gradientName ?? "")".split(separator: " ")
    }
    #expect(names.count > 20)
    let missing = Set(names).subtracting(memory).subtracting(tested.map(String.init))
    #expect(missing.isEmpty, "operations without a line in the table: \(missing.sorted())")
  }

  /// `ROC_TIMES=1 swift test --filter speedOfEveryOperation` prints how long each takes.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["ROC_TIMES"] != nil))
  func speedOfEveryOperation() throws {
    let clock = ContinuousClock()
    for operation in Operation.all {
      var line = operation.testDescription.padding(toLength: 28, withPad: " ", startingAt: 0)
      for set in implementations {
        let compute = try Compute(threads: 2, instructionSet: set)
        let times = try (0..<50).map { _ in
          try clock.measure { _ = try operation.run(compute, operation.inputs) }
        }
        let best = (times.min() ?? .zero) / .microseconds(1)
        line += "  \(set) \((best * 10).rounded() / 10) µs"
      }
      print(line)
    }
  }

  /// Sums of up to 70 products of numbers below 1, in another order.
  private static func expectNear(_ found: [Float], _ expected: [Float], _ what: String) {
    #expect(found.count == expected.count)
    let wrong = zip(found, expected).enumerated().first { _, pair in
      !(abs(pair.0 - pair.1) <= 2e-5 * max(1, abs(pair.1)))
    }
    if let (i, (found, expected)) = wrong {
      Issue.record("\(what): value \(i) is \(found), not \(expected)")
    }
  }
}

/// Products by OpenBLAS against sums in double, over the sizes around panels and blocks.
struct OpenBLASTests {
  @Test(arguments: ProductTests.shapes + [(m: 700, n: 65, k: 30)])
  func productsAreThoseOfTheFormula(_ shape: (m: Int, n: Int, k: Int)) throws {
    guard let compute = try? Compute(threads: 2, instructionSet: "openblas") else {
      print("skipped: libopenblas.so.0 is not installed; install libopenblas0")
      return
    }
    let item = ProductTests.Case(shape)
    let raw = try #require(RawWeights(copying: item.w, rows: item.n, columns: item.k, "w"))
    let packed = try #require(PackedWeights(raw, precision: .f32, compute: compute))
    let y = Linear(packed, bias: Parameter(item.bias))(
      compute.matrix(item.m, item.k, item.a), compute
    ).array
    var wrong = 0
    for row in 0..<item.m {
      for column in 0..<item.n {
        var sum = ExactSum(item.bias[column])
        for i in 0..<item.k {
          sum.add(Double(item.a[row * item.k + i]) * Double(item.w[column * item.k + i]))
        }
        if !(abs(Double(y[row * item.n + column]) - sum.value) <= sum.bound) { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  @Test func saysWhatIsMissing() {
    #expect(Compute.instructionSets.last == "openblas")
    let error = ComputeError.noLibrary("libopenblas.so.0 cannot be loaded").description
    #expect(error.contains("apt-get install libopenblas0"))
  }
}
